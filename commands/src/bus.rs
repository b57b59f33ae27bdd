//! The bus: load, decide, append, and again when somebody was faster.

use std::future::Future;
use std::sync::Arc;

use storage::{KeyUse, Receipt, Recorded, Store, StreamId, Token};

use crate::contention::{Contention, Turns};
use crate::states::{Seen, States};
use crate::unit::{Ended, Outcome, Reading, Unit, catch_up};
use crate::{CommandError, Governed, Request};

/// Attempts at one command, whose callers queue from the second on. More are only needed when other nodes go on and
/// on changing the same stream.
const ATTEMPTS: usize = 32;

/// Cheap to clone; one per process.
#[derive(Debug, Clone)]
pub struct Bus(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    states: States,
    contention: Contention,
}

/// A rule across several aggregates: reads and decides in a unit, which is recorded as one append. It is run again
/// from the start when something that it read has moved, so it does nothing else.
pub trait Procedure: Sync {
    fn run(&self, unit: &mut Unit<'_>) -> impl Future<Output = Result<(), CommandError>> + Send;

    /// The stream for which callers of this procedure most likely compete, if there is one.
    fn contended(&self) -> Option<StreamId> {
        None
    }
}

/// The procedure of a single aggregate.
struct Single<'a, A: Governed> {
    id: &'a str,
    command: &'a A::Command,
    new: bool,
}

impl<A: Governed> Procedure for Single<'_, A> {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        if self.new {
            unit.suppose_new::<A>(self.id);
        }
        unit.decide::<A>(self.id, self.command).await.map(|_| ())
    }

    fn contended(&self) -> Option<StreamId> {
        (!self.new).then(|| StreamId::new(A::TYPE, self.id))
    }
}

impl Bus {
    pub fn new(store: Store) -> Self {
        Self(Arc::new(Inner { store, states: States::default(), contention: Contention::default() }))
    }

    pub fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn states(&self) -> &States {
        &self.0.states
    }

    /// A position as clients are told it.
    pub async fn token(&self, position: u64) -> Result<Token, CommandError> {
        Ok(self.store().token(position).await?)
    }

    /// Puts a command to one aggregate.
    pub async fn execute<A: Governed>(
        &self,
        request: &Request,
        id: &str,
        command: &A::Command,
    ) -> Result<Outcome, CommandError> {
        self.run(request, &Single::<A> { id, command, new: false }).await
    }

    /// Puts a command to an aggregate that should not exist yet: without a load, unless that proves wrong.
    pub async fn create<A: Governed>(
        &self,
        request: &Request,
        id: &str,
        command: &A::Command,
    ) -> Result<Outcome, CommandError> {
        self.run(request, &Single::<A> { id, command, new: true }).await
    }

    /// Runs a procedure until it is recorded, refused, or has changed nothing.
    pub async fn run<P: Procedure>(&self, request: &Request, procedure: &P) -> Result<Outcome, CommandError> {
        self.states().belong_to(self.store().epoch().await?);
        if let Some(outcome) = self.answered_before(request).await? {
            return Ok(outcome);
        }
        let mut turns: Option<Turns<'_>> = match procedure.contended() {
            Some(stream) => self.0.contention.join(&stream).await,
            None => None,
        };
        let mut reading = Reading::Cached;
        for _ in 0..ATTEMPTS {
            let mut unit = Unit::new(self, request, reading);
            match procedure.run(&mut unit).await {
                Ok(()) => {}
                Err(error) if is_a_judgement(&error) && unit.may_be_old() => {
                    reading = Reading::Fresh;
                    continue;
                }
                Err(error) => return self.replay_or(request, error).await,
            }
            match unit.commit().await? {
                Ended::Nothing(_) if unit.may_be_old() => reading = Reading::Fresh,
                Ended::Done(outcome) | Ended::Nothing(outcome) => return Ok(outcome),
                Ended::Replayed(receipt) => return self.replay(receipt).await,
                Ended::Conflict => {
                    let touched = unit.touched();
                    if turns.is_none() {
                        turns = Some(self.0.contention.queue(touched).await);
                        // Whoever was before us here has left the state that he wrote.
                        reading = if unit.is_behind() { Reading::Cached } else { Reading::Fresh };
                    } else {
                        reading = Reading::Fresh;
                    }
                }
            }
        }
        Err(CommandError::Contended)
    }

    /// The present state of an aggregate with its version and last position; None where there is none.
    pub async fn look<A: Governed>(&self, id: &str) -> Result<Option<(Arc<A>, u64, u64)>, CommandError> {
        // What is remembered of a history that is lost must let nobody in.
        self.states().belong_to(self.store().epoch().await?);
        let stream = StreamId::new(A::TYPE, id);
        let from = self.states().get(&stream).unwrap_or_else(Seen::nothing);
        let Seen { state, sequence, position, .. } = catch_up::<A>(self, &stream, from).await?;
        Ok((sequence > 0).then_some((state, sequence, position)))
    }

    /// A request under a key that was answered before gets that answer; another body under the key gets none.
    async fn answered_before(&self, request: &Request) -> Result<Option<Outcome>, CommandError> {
        let Some(key) = &request.idempotency else { return Ok(None) };
        match self.store().key_use(key).await? {
            KeyUse::Unused => Ok(None),
            KeyUse::OtherBody => Err(CommandError::KeyReused),
            KeyUse::SameBody(command_id) => Ok(Some(Outcome::replayed(&self.store().of_command(command_id).await?))),
        }
    }

    /// A command that is refused now may be one that succeeded before: then that stands.
    async fn replay_or(&self, request: &Request, error: CommandError) -> Result<Outcome, CommandError> {
        if is_a_judgement(&error) && (request.idempotency.is_some() || request.claim.is_some()) {
            let events = self.store().of_command(request.command_id).await?;
            if !events.is_empty() {
                return Ok(Outcome::replayed(&events));
            }
        }
        Err(error)
    }

    async fn replay(&self, receipt: Receipt) -> Result<Outcome, CommandError> {
        let count = usize::try_from(receipt.last - receipt.first + 1).unwrap_or(usize::MAX);
        let events: Vec<Recorded> = self.store().read_after(receipt.first - 1, count).await?;
        Ok(Outcome::replayed(&events))
    }
}

/// Whether an error rests on what was read, and so on its being up to date.
fn is_a_judgement(error: &CommandError) -> bool {
    matches!(error, CommandError::Refused(_) | CommandError::Denied(_) | CommandError::Moved { .. })
}
