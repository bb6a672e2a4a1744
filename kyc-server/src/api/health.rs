//! `/health`: whether the process lives, and whether it can serve.

use kyc_core::Kyc;
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::Tag;
use super::problem::{Problem, ProblemKind, Refusal, Refuses};
use crate::worker::Pulse;

/// The endpoints of [`health`](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct HealthApi;

/// All is well.
#[derive(Debug, Object)]
#[oai(rename = "Health")]
struct HealthBody {
    /// `ok`.
    status: String,
}

/// What a probe refuses with.
#[derive(Debug)]
struct ProbeRefuses;
impl Refuses for ProbeRefuses {
    const KINDS: &'static [&'static [ProblemKind]] =
        &[&[ProblemKind::Timeout, ProblemKind::Internal, ProblemKind::Unavailable, ProblemKind::Overloaded]];
}

fn ok() -> Json<HealthBody> {
    Json(HealthBody { status: "ok".to_owned() })
}

#[expect(clippy::unused_async, reason = "poem-openapi takes async functions only")]
#[OpenApi(tag = "Tag::Service")]
impl HealthApi {
    /// Does the process live?
    ///
    /// It does where this answers; a supervisor restarts it where not.
    #[oai(path = "/health/live", method = "get", operation_id = "healthLive")]
    async fn live(&self) -> Result<Json<HealthBody>, Refusal<ProbeRefuses>> {
        Ok(ok())
    }

    /// Can the service serve?
    ///
    /// It can where the store reads and writes, the workers work, and erasures are noted. A balancer sends requests elsewhere
    /// where not.
    #[oai(path = "/health/ready", method = "get", operation_id = "healthReady")]
    async fn ready(
        &self,
        Data(kyc): Data<&Kyc>,
        Data(workers): Data<&Option<Pulse>>,
    ) -> Result<Json<HealthBody>, Refusal<ProbeRefuses>> {
        kyc.ready().await?;
        if kyc.unrecorded_erasures() > 0 {
            Err(Problem::new(ProblemKind::Unavailable).detail("erasures can't be noted in the ledger"))?;
        }
        if workers.as_ref().is_none_or(Pulse::is_alive) {
            Ok(ok())
        } else {
            Err(Problem::new(ProblemKind::Unavailable).detail("the workers do not work"))?
        }
    }
}
