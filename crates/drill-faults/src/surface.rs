//! Which faults would disarm or hide each other on one target.

/// Which part of a target a fault takes for itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Surface {
    /// The process or service of this name.
    Process(String),
    /// The processors.
    Cpu,
    /// The memory.
    Memory,
    /// The disk.
    Disk,
    /// The queue of a network interface: a host has one.
    Queue,
    /// Packets, through chains of one's own: any number can stand side by side.
    Packets,
    /// The target as a whole: what runs on it dies with it.
    Whole,
}

impl Surface {
    /// The process or service of this name: a service and its main process mostly share one.
    pub fn process(name: &str) -> Self {
        Self::Process(name.strip_suffix(".service").unwrap_or(name).to_owned())
    }

    /// Why two faults must not be on one target at the same time, or `None` when they can.
    pub fn conflict(&self, other: &Self) -> Option<&'static str> {
        match (self, other) {
            (Self::Whole, Self::Whole) => Some("both change the same target as a whole, and one undoes the other"),
            (Self::Whole, _) | (_, Self::Whole) => {
                Some("when the target goes down, the other fault ends early and still counts as running")
            }
            (Self::Queue, Self::Queue) => Some("an interface has one queue, and the second would replace the first"),
            (Self::Disk, Self::Disk) => {
                Some("on a full disk neither can be seen to land, nor be undone with certainty")
            }
            (Self::Disk, Self::Memory) | (Self::Memory, Self::Disk) => {
                Some("a host short of disk and memory may not be able to undo either")
            }
            (Self::Process(one), Self::Process(two)) if one == two => {
                Some("both act on the same process, and one hides whether the other landed")
            }
            (
                Self::Process(_) | Self::Cpu | Self::Memory | Self::Disk | Self::Queue | Self::Packets,
                Self::Process(_) | Self::Cpu | Self::Memory | Self::Disk | Self::Queue | Self::Packets,
            ) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflict_does_not_depend_on_the_order() {
        let all = [
            Surface::Process("a".into()),
            Surface::Process("b".into()),
            Surface::Cpu,
            Surface::Memory,
            Surface::Disk,
            Surface::Queue,
            Surface::Packets,
            Surface::Whole,
        ];
        for one in &all {
            for two in &all {
                assert_eq!(one.conflict(two), two.conflict(one), "{one:?} {two:?}");
            }
        }
    }

    #[test]
    fn a_second_queue_is_refused_and_a_second_chain_is_not() {
        assert!(Surface::Queue.conflict(&Surface::Queue).is_some());
        assert!(Surface::Packets.conflict(&Surface::Packets).is_none());
    }
}
