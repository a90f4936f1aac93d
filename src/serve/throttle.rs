//! Rate limits: a quota for each valid key, and one for each address without a key.
//!
//! A quota refills steadily (GCRA): whoever has used it up waits for one request's
//! share of it, not for the end of the day. The existing service's waits are longer,
//! its quotas the same.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    time::Duration,
};

use axum::extract::{ConnectInfo, Request};
use governor::{
    NotUntil, Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};

use super::error::{Refusal, Result};
use crate::{clock::SharedClock, config::ServeConfig};

/// The most addresses remembered; beyond, strangers share one quota.
const MAX_ADDRESSES: usize = 10_000;

/// Quotas by key.
type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, Ticks, NoOpMiddleware<Duration>>;

/// The quotas and what is used of them.
#[derive(Debug)]
pub(super) struct Throttle {
    internal: Limiter<usize>,
    anon: Limiter<IpAddr>,
    clock: Ticks,
}

/// Our clock, as the quotas read it.
#[derive(Debug, Clone)]
struct Ticks(SharedClock);

impl Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

impl Throttle {
    pub(super) fn new(config: &ServeConfig, clock: SharedClock) -> Throttle {
        let clock = Ticks(clock);
        let day = Duration::from_secs(24 * 60 * 60);
        let hour = Duration::from_secs(60 * 60);
        Throttle {
            internal: limiter(config.internal_per_day, day, &clock),
            anon: limiter(config.anon_per_hour, hour, &clock),
            clock,
        }
    }

    /// Counts a request of a valid key.
    pub(super) fn internal(&self, key: usize) -> Result<()> {
        let checked = self.internal.check_key(&key);
        checked.map_err(|not_until| self.refusal(&not_until))
    }

    /// Counts a request without one.
    pub(super) fn anon(&self, request: &Request) -> Result<()> {
        let checked = self.anon.check_key(&self.remembered(peer(request)));
        checked.map_err(|not_until| self.refusal(&not_until))
    }

    fn refusal(&self, not_until: &NotUntil<Duration>) -> Refusal {
        throttled(not_until.wait_time_from(self.clock.now()))
    }

    /// Returns the address, or the one that all share when too many are remembered.
    fn remembered(&self, peer: IpAddr) -> IpAddr {
        if self.anon.len() < MAX_ADDRESSES {
            return peer;
        }
        self.anon.retain_recent();
        match self.anon.len() < MAX_ADDRESSES {
            true => peer,
            false => Ipv6Addr::UNSPECIFIED.into(),
        }
    }
}

fn limiter<K: Hash + Eq + Clone>(requests: u32, period: Duration, clock: &Ticks) -> Limiter<K> {
    RateLimiter::dashmap_with_clock(quota(requests, period), clock.clone())
}

fn quota(requests: u32, period: Duration) -> Quota {
    let requests = NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN);
    let share = period / requests.get();
    Quota::with_period(share)
        .unwrap_or(Quota::per_second(requests))
        .allow_burst(requests)
}

/// Returns the refusal with the seconds rounded up: a retry at that time succeeds.
fn throttled(wait: Duration) -> Refusal {
    let rest = u64::from(wait.subsec_nanos() > 0);
    Refusal::Throttled((wait.as_secs() + rest).max(1))
}

/// Returns the address the connection comes from; what a header says of it is anyone's
/// word. Of IPv6 the network counts, as a client has all of its addresses.
fn peer(request: &Request) -> IpAddr {
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    match connection.map(|ConnectInfo(peer)| peer.ip().to_canonical()) {
        Some(IpAddr::V6(ip)) => {
            let network = u128::from(ip) >> 64 << 64;
            Ipv6Addr::from(network).into()
        }
        Some(ip) => ip,
        None => Ipv4Addr::UNSPECIFIED.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;

    fn from(peer: &str) -> Request {
        let mut request = Request::default();
        let peer: SocketAddr = peer.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    }

    fn throttle(anon_per_hour: u32) -> Throttle {
        throttle_at(anon_per_hour, FakeClock::at(chrono::DateTime::UNIX_EPOCH))
    }

    fn throttle_at(anon_per_hour: u32, clock: SharedClock) -> Throttle {
        let config = ServeConfig {
            anon_per_hour,
            ..ServeConfig::default()
        };
        Throttle::new(&config, clock)
    }

    #[test]
    fn a_quota_is_back_when_the_refusal_says_so_and_not_before() {
        let clock = FakeClock::at(chrono::DateTime::UNIX_EPOCH);
        let throttle = throttle_at(60, clock.clone());
        let ask = || throttle.anon(&from("10.0.0.1:1"));
        assert!((0..60).all(|_| ask().is_ok()));
        let Err(Refusal::Throttled(seconds)) = ask() else {
            panic!("not throttled");
        };
        assert_eq!(seconds, 60);
        clock.advance(Duration::from_secs(seconds - 1));
        assert!(ask().is_err());
        clock.advance(Duration::from_secs(1));
        assert!(ask().is_ok());
        assert!(ask().is_err());
    }

    #[test]
    fn each_address_has_its_own_quota_and_each_ipv6_network() {
        let throttle = throttle(1);
        assert!(throttle.anon(&from("10.0.0.1:1")).is_ok());
        assert!(throttle.anon(&from("10.0.0.1:2")).is_err());
        assert!(throttle.anon(&from("10.0.0.2:1")).is_ok());
        assert!(throttle.anon(&from("[2001:db8::1]:1")).is_ok());
        assert!(throttle.anon(&from("[2001:db8::2]:1")).is_err());
        assert!(throttle.anon(&from("[2001:db8:0:1::1]:1")).is_ok());
    }

    #[test]
    fn a_wait_is_rounded_up_and_never_zero() {
        for (millis, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (6400, 7)] {
            let Refusal::Throttled(told) = throttled(Duration::from_millis(millis)) else {
                panic!("not throttled");
            };
            assert_eq!(told, seconds, "{millis} ms");
        }
    }

    #[test]
    fn addresses_remembered_are_bounded() {
        let throttle = throttle(1);
        for address in 0..20_000_u32 {
            let ip = Ipv4Addr::from(0x0a00_0000 + address);
            let _ = throttle.anon(&from(&format!("{ip}:1")));
        }
        assert!(throttle.anon.len() <= MAX_ADDRESSES + 1);
    }
}
