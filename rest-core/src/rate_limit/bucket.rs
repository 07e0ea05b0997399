//! One bucket of a service's rate limits: what the responses report, and how many requests may be
//! in flight. It does no I/O and reads no clock.
//!
//! A request that is in flight counts as used, because the reports do not show whether the server has
//! counted it. Without other programs that use the same bucket, the server therefore never throttles:
//! a request that is counted after the report with the smallest number of remaining requests is either
//! in flight, or its own report has a smaller number.
//!
//! Other programs make the reports old. The bucket measures how fast they use it, and leaves twice as
//! many requests as they use until the next report. That does not help against a program that uses all
//! the rest at once between a report and the next request: such a request is throttled, and no client
//! can know it beforehand.

use std::time::{Duration, SystemTime};

use crate::vendor::RateLimit;

/// The state of one bucket. All durations are elapsed times of the clock.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    window: Window,
    /// The limit of the last report.
    limit: Option<u64>,
    /// The reset of the last window, on the server's clock. It tells late reports from new ones.
    reset: Option<SystemTime>,
    /// Whether the vendor's length of a window has proved to be wrong.
    is_other_length: bool,
    /// Number of requests whose result is not known.
    in_flight: u64,
    /// Number of the window, counted by this client.
    epoch: u64,
    /// Numbers of requests of this epoch.
    sent: u64,
    answered: u64,
    foreign: Foreign,
    /// Typical time from sending a request to its result, rather too long than too short.
    latency: Duration,
}

#[derive(Debug, Default)]
enum Window {
    /// No response has reported this window: before the first response, and after the end of a window.
    #[default]
    Unknown,
    /// The service reports no limit.
    Unlimited,
    Known {
        remaining: u64,
        /// The latest end that agrees with all reports of this window.
        ends_at: Duration,
        reported_at: Duration,
    },
}

/// Whether the next request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Send,
    /// The window is used up until this time.
    WaitUntil(Duration),
    /// The requests in flight may use up the window.
    WaitForResult,
}

/// A request that was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    epoch: u64,
    pub(super) at: Duration,
}

impl Bucket {
    /// Returns whether a request may be sent. `share` is the share of each limit that this client may use.
    pub(super) fn decide(&mut self, share: f64, now: Duration) -> Decision {
        match self.window {
            Window::Known { ends_at, .. } if now >= ends_at => self.begin(Window::Unknown, 0),
            _ => {}
        }
        let share_is_used = self
            .limit
            .is_some_and(|limit| self.sent >= part(limit, share));
        match self.window {
            Window::Unlimited => Decision::Send,
            // The first responses report the limit. Until then, few requests are at risk.
            Window::Unknown => match self.sent - self.answered {
                0 => Decision::Send,
                probes if probes < PROBES && !share_is_used => Decision::Send,
                _ => Decision::WaitForResult,
            },
            Window::Known {
                remaining,
                ends_at,
                reported_at,
            } => {
                let lag = now.saturating_sub(reported_at) + self.latency;
                let usable = remaining.saturating_sub(self.foreign.expected(lag));
                if share_is_used || usable == 0 {
                    Decision::WaitUntil(ends_at)
                } else if usable > self.in_flight {
                    Decision::Send
                } else {
                    Decision::WaitForResult
                }
            }
        }
    }

    /// Counts a request as sent.
    pub(super) fn send(&mut self, now: Duration) -> Sent {
        self.in_flight += 1;
        self.sent += 1;
        Sent {
            epoch: self.epoch,
            at: now,
        }
    }

    /// Records that no response arrived. The server may have counted the request.
    pub(super) fn lost(&mut self, sent: Sent) {
        self.end(sent);
        if let Window::Known { remaining, .. } = &mut self.window {
            *remaining = remaining.saturating_sub(1);
        }
    }

    /// Records a response, with the limit that it reports.
    pub(super) fn answered(&mut self, sent: Sent, report: Option<RateLimit>, now: Duration) {
        let is_of_this_epoch = sent.epoch == self.epoch;
        let Some(report) = report else {
            self.lost(sent);
            if is_of_this_epoch && matches!(self.window, Window::Unknown) {
                self.window = Window::Unlimited;
            }
            return;
        };
        self.end(sent);
        self.learn_latency(now.saturating_sub(sent.at));
        let order = self.reset.map(|known| Order::of(report.reset, known));
        match (&mut self.window, order) {
            (_, None | Some(Order::Newer)) | (Window::Unlimited, _) => self.open(report, now),
            // The request was sent after the supposed end of this window, so its end was wrong.
            (Window::Unknown, Some(Order::Same)) if is_of_this_epoch => {
                self.is_other_length = true;
                self.open(report, now);
            }
            // The server's clock was set back.
            (Window::Unknown, Some(Order::Older)) if is_of_this_epoch => self.open(report, now),
            (
                Window::Known {
                    remaining,
                    ends_at,
                    reported_at,
                },
                Some(Order::Same),
            ) => {
                // Responses arrive in any order. Within one window, the smaller number is the newer one.
                if report.remaining <= *remaining {
                    *remaining = report.remaining;
                    *reported_at = now;
                    let used = report.limit.saturating_sub(report.remaining);
                    self.foreign.learn(used.saturating_sub(self.sent), now);
                }
                *ends_at = (*ends_at).min(now.saturating_add(report.resets_in));
                self.limit = Some(report.limit);
            }
            // A late response reports an older window.
            (Window::Unknown | Window::Known { .. }, Some(Order::Same | Order::Older)) => {}
        }
    }

    /// Ends a request, whatever its result.
    fn end(&mut self, sent: Sent) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if sent.epoch == self.epoch {
            self.answered += 1;
        }
    }

    /// Begins a window with the first response that reports it.
    fn open(&mut self, report: RateLimit, now: Duration) {
        // The window began before this response, so it ends at most one length from now. This is
        // exact to the time of one response; the reset in the response is in whole seconds.
        let longest = report.window.filter(|length| {
            self.is_other_length |= report.resets_in > *length + ROUNDING;
            !self.is_other_length
        });
        let ends_in = longest
            .unwrap_or(LONGEST)
            .min(report.resets_in)
            .min(LONGEST);
        let window = Window::Known {
            remaining: report.remaining,
            ends_at: now.saturating_add(ends_in),
            reported_at: now,
        };
        if matches!(self.window, Window::Known { .. }) {
            // The server began this window before its supposed end.
            self.begin(window, self.in_flight + 1);
        } else {
            self.window = window;
        }
        self.reset = Some(report.reset);
        self.limit = Some(report.limit);
        let used = report.limit.saturating_sub(report.remaining);
        self.foreign.begin(used.saturating_sub(self.sent), now);
    }

    fn begin(&mut self, window: Window, sent: u64) {
        self.window = window;
        self.epoch += 1;
        self.sent = sent;
        self.answered = sent;
    }

    fn learn_latency(&mut self, sample: Duration) {
        self.latency = sample.max((self.latency * 7 + sample) / 8);
    }
}

/// The order of two windows by their resets.
enum Order {
    Older,
    Same,
    Newer,
}

impl Order {
    fn of(reset: SystemTime, known: SystemTime) -> Self {
        let (later, earlier) = (reset.max(known), reset.min(known));
        match later.duration_since(earlier) {
            Ok(difference) if difference > ROUNDING => {
                if reset > known {
                    Self::Newer
                } else {
                    Self::Older
                }
            }
            _ => Self::Same,
        }
    }
}

/// The use of the bucket by other programs.
#[derive(Debug, Default)]
struct Foreign {
    /// The least number of requests of other programs in this window that explains the reports.
    seen: u64,
    per_second: f64,
    learned_at: Duration,
}

impl Foreign {
    /// Begins a window. It is not known when the other programs sent these requests.
    fn begin(&mut self, seen: u64, now: Duration) {
        self.learn(self.seen, now);
        self.seen = seen;
    }

    fn learn(&mut self, seen: u64, now: Duration) {
        let age = now.saturating_sub(self.learned_at);
        self.learned_at = now;
        let new = seen.saturating_sub(self.seen);
        self.seen += new;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let new = new as f64;
        self.per_second = self.per_second * (-age.as_secs_f64()).exp() + new;
    }

    /// Returns the number of requests to leave for the time `lag` until the next report.
    fn expected(&self, lag: Duration) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a conversion of a float saturates"
        )]
        let expected = (2.0 * self.per_second * lag.as_secs_f64()) as u64;
        expected
    }
}

/// Returns `share` of `limit`, at least 1.
fn part(limit: u64, share: f64) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small numbers; a conversion of a float saturates"
    )]
    let part = (limit as f64 * share) as u64;
    part.max(1)
}

/// Number of requests in flight while the window is not known.
const PROBES: u64 = 2;
/// Resets are in whole seconds, so those of one window may differ a little.
const ROUNDING: Duration = Duration::from_secs(3);
/// A limit that lasts longer is tried again after this time: its reset may be wrong.
const LONGEST: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests;
