//! Healthy and degraded services as numbers: the same seed, the same numbers, on every machine.

/// A stream of noise (splitmix64), in which each value keeps a share `phi` of the one before it.
pub struct Noise {
    state: u64,
    phi: f64,
    last: f64,
}

/// What a probe measures, and how its noise looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Throughput: Gaussian, a tenth of the mean.
    Gauss,
    /// A p99 latency: log-normal, deviation 0.25.
    Latency,
    /// A p99 of few requests: deviation 0.5, and one in fifty is four times as slow.
    Heavy,
    /// Five errors a look, from a rate that wanders.
    Errors,
    /// One error in two looks.
    Seldom,
    /// Failures of 500 requests at 0.2 %, as a percentage that succeeded.
    Availability,
}

impl Noise {
    pub fn new(seed: u64, phi: f64) -> Self {
        // The streams of two seeds must not be one stream from two places on.
        let mut noise = Self { state: mixed(seed.wrapping_add(1)), phi, last: 0.0 };
        noise.last = noise.normal();
        noise
    }

    pub fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        ((mixed(self.state) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// The next value of an AR(1) process with mean 0 and deviation 1.
    pub fn step(&mut self) -> f64 {
        self.last = self.phi * self.last + (1.0 - self.phi * self.phi).sqrt() * self.normal();
        self.last
    }

    /// The next value of a probe whose badness is multiplied by `factor`.
    pub fn value(&mut self, kind: Kind, factor: f64) -> f64 {
        let z = self.step();
        match kind {
            Kind::Gauss => 100.0 * factor * (1.0 + 0.1 * z),
            Kind::Latency => 100.0 * factor * (0.25 * z).exp(),
            Kind::Heavy => {
                let spike = if self.uniform() < 0.02 { 4.0 } else { 1.0 };
                100.0 * factor * spike * (0.5 * z).exp()
            }
            Kind::Errors => self.poisson(5.0 * factor * (0.3 * z - 0.045).exp()),
            Kind::Seldom => self.poisson(0.5 * factor * (0.3 * z - 0.045).exp()),
            // So many requests and so few failures: a binomial is a Poisson distribution that ends at 500.
            Kind::Availability => 100.0 - self.poisson(factor * (0.5 * z - 0.125).exp()).min(500.0) / 5.0,
        }
    }

    fn poisson(&mut self, rate: f64) -> f64 {
        let (bound, mut product, mut count) = ((-rate).exp(), self.uniform(), 0.0);
        while product > bound && count < 500.0 {
            product *= self.uniform();
            count += 1.0;
        }
        count
    }
}

const fn mixed(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
