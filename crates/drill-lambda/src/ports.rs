//! The ports of a function: adapters put together in one struct, which has exactly the ports that are named.
//!
//! What a function may do follows from it: the actions of its role are those of its ports.

/// Makes a struct out of adapters, which has the ports that are named and no other.
///
/// ```
/// drill_lambda::ports! {
///     /// What it asks of the world.
///     pub struct Ports {
///         clock: drill_aws_config::SystemClock => Clock;
///         place: drill_aws_config::Here => Place;
///     }
/// }
/// assert_eq!(Ports::NEEDS, [("Clock", &[] as &[&str]), ("Place", &[])]);
/// ```
///
/// An adapter is made with `Adapter::from_environment`.
#[macro_export]
macro_rules! ports {
    (
        $(#[$doc:meta])*
        pub struct $ports:ident {
            $($field:ident: $adapter:ty => $($port:ident),+;)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $ports {
            $($field: $adapter,)+
        }

        impl $ports {
            /// The names of the ports, and the IAM actions that each needs: those of the function's role, and no other.
            pub const NEEDS: &'static [(&'static str, &'static [&'static str])] =
                &[$($((stringify!($port), <$adapter as $crate::phases::ports::$port>::ACTIONS),)+)+];

            /// Makes the adapters, each from the environment variables that it needs.
            pub fn from_environment(config: &$crate::SdkConfig) -> ::core::result::Result<Self, $crate::Unready> {
                Ok(Self { $($field: $crate::adapter(config)?,)+ })
            }
        }

        $($($crate::port!($port for $ports by $field: $adapter);)+)+
    };
}

/// A port of a struct, answered by one of its fields.
#[doc(hidden)]
#[macro_export]
macro_rules! port {
    ($port:ident for $ports:ident by $field:ident: $adapter:ty) => {
        impl $crate::phases::ports::has::$port for $ports {
            type Port = $adapter;

            fn port(&self) -> &$adapter {
                &self.$field
            }
        }
    };
}
