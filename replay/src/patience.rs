//! Trying until something holds, with pauses and up to a deadline.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// After the first try; it doubles up to the bound, so that whoever waits long is no load.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// What the first try comes to that comes to something; None when none has until the deadline. There is one at least.
pub(crate) async fn within<T, E>(
    patience: Duration,
    mut attempt: impl AsyncFnMut() -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let (deadline, mut pause) = (Instant::now() + patience, FIRST_PAUSE);
    loop {
        if let Some(made) = attempt().await? {
            return Ok(Some(made));
        }
        if Instant::now() + pause > deadline {
            return Ok(None);
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use tokio::time::Instant;

    use super::within;

    const RESTLESS: Duration = Duration::from_millis(300);

    #[tokio::test]
    async fn what_stands_still_in_time_is_met() {
        let (begun, mut tries) = (Instant::now(), 0);
        let stands = |begun: Instant| (begun.elapsed() > RESTLESS).then_some(());
        let met = within(Duration::from_mins(1), async || {
            tries += 1;
            Ok::<_, Infallible>(stands(begun))
        });
        assert_eq!(met.await, Ok(Some(())));
        assert!((2..100).contains(&tries), "{tries} tries");
        // Control: a thousand tries without a pause are over before.
        let begun = Instant::now();
        assert!((0..1_000).all(|_| stands(begun).is_none()));
    }

    #[tokio::test]
    async fn what_never_does_is_given_up() {
        let (begun, mut tries) = (Instant::now(), 0);
        let never = within(RESTLESS, async || {
            tries += 1;
            Ok::<Option<()>, Infallible>(None)
        });
        assert_eq!(never.await, Ok(None));
        assert!((2..50).contains(&tries) && begun.elapsed() < Duration::from_secs(30), "{tries} tries");
        assert_eq!(within(RESTLESS, async || Err::<Option<()>, _>("down")).await, Err("down"));
    }
}
