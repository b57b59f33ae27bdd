//! The end of the time to decide: what was asked for goes back to those who asked.

use domain::Aggregate;
use domain::approval::{Approval, Command, SubjectKind};
use domain::ids::ApprovalId;
use domain::runbook::{self, Runbook};
use jiff::Timestamp;
use storage::StreamId;

use crate::{CommandError, Procedure, Unit};

#[derive(Debug, Clone)]
pub struct ExpireApproval {
    pub approval_id: String,
    pub expires_at: Timestamp,
    pub at: Timestamp,
}

impl Procedure for ExpireApproval {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let command = Command::Expire { expires_at: self.expires_at, at: self.at };
        if unit.decide::<Approval>(&self.approval_id, &command).await? == 0 {
            return Ok(());
        }
        let Some(terms) = &unit.read::<Approval>(&self.approval_id).await?.terms else { return Ok(()) };
        let subject = terms.subject.clone();
        match subject.kind {
            SubjectKind::RunbookVersion => {
                let approval_id = ApprovalId::new(&*self.approval_id);
                let expire = runbook::Command::ExpireSubmission { approval_id };
                unit.decide::<Runbook>(&subject.id, &expire).await.map(|_| ())
            }
        }
    }

    fn contended(&self) -> Option<StreamId> {
        Some(StreamId::new(Approval::TYPE, &*self.approval_id))
    }
}
