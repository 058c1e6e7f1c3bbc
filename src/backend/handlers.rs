//! The table of question handlers of a source: it says which questions the source answers, and with which function.

use std::future::ready;
use std::sync::Arc;

use jiff::Timestamp;

use super::kit::cost::Cost;
use super::{Answering, Source};
use crate::model::ask::{Ask, AskKind, Moment, Query, QueryRange, Reply, SeriesKey, TimeUse, asks};
use crate::model::dashboard::PanelQuery;
use crate::model::dashboard::variable::VariableQuery;
use crate::model::detection::OnsetQuery;
use crate::model::evaluation::{EvaluationKey, LabelSearch};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::{Labels, Text};
use crate::model::log::{LogPage, LogQuery, LogSplit};
use crate::model::runbook::RunbookQuery;
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::trace::TraceId;
use crate::model::why::WhyQuery;

/// The moment of a question, and which answer the caller already has.
#[derive(Debug, Clone, Copy)]
pub(super) struct QuestionAt {
    /// The moment that the question is about; always `Now` for kinds of questions that have no history.
    pub(super) at: Moment,
    /// The digest of the answer that the caller already has.
    pub(super) known: Option<u64>,
}

macro_rules! handlers {
    ($(
        $(#[$doc:meta])*
        $Kind:ident $({
            $($(#[$key_doc:meta])* $key:ident : $Key:ty)? ;
            $($(#[$field_doc:meta])* $field:ident : $Field:ty),*
        })? => $place:ident : $Answer:ty { $($attributes:tt)* }
    )*) => {
        /// The function with which a source of type `S` answers one kind of question. The function gets the source, the
        /// moment and digest of the question, and the question's key and parameters.
        pub(super) enum Handler<S: 'static> {
            $($(#[$doc])* $Kind(for<'a> fn(&'a S, QuestionAt $($(, &'a $Key)? $(, &'a $Field)*)?) -> Answering<'a>),)*
        }

        impl<S> Handler<S> {
            /// The kind of question that this handler answers.
            const fn kind(&self) -> AskKind {
                match self {
                    $(Self::$Kind(_) => AskKind::$Kind,)*
                }
            }

            /// The future of the answer; `None` if the question is of another kind.
            fn answer<'a>(&self, source: &'a S, query: &'a Query, put: QuestionAt) -> Option<Answering<'a>> {
                match query {
                    $(Query::$Kind $({ $($key,)? $($field),* })? => {
                        let Self::$Kind(answer) = self else { return None };
                        Some(answer(source, put $($(, $key)? $(, $field)*)?))
                    })*
                }
            }
        }
    };
}

asks!(handlers);

/// The kinds of questions that these handlers answer, in the order of the handlers.
pub(super) const fn kinds<S, const COUNT: usize>(handlers: &[Handler<S>]) -> [AskKind; COUNT] {
    let mut kinds = [AskKind::Probe; COUNT];
    let (mut left, mut free): (&[Handler<S>], &mut [AskKind]) = (handlers, &mut kinds);
    while let ([handler, others @ ..], [kind, rest @ ..]) = (left, free) {
        *kind = handler.kind();
        (left, free) = (others, rest);
    }
    kinds
}

/// Answers a question with the matching handler, and adds the cost of the requests. Returns [`ErrorKind::NotOffered`] if there is no
/// handler, if the configured source does not offer this kind of question, or if the question is about the past and its kind has
/// no history.
pub(super) fn answer_by<'a, S: Source>(
    source: &'a S,
    handlers: &[Handler<S>],
    ask: &'a Ask,
    known: Option<u64>,
) -> Answering<'a> {
    let kind = ask.kind();
    let has_moment = ask.at == Moment::Now || matches!(kind.time(), TimeUse::Moment | TimeUse::Range);
    let is_offered = has_moment && source.info().answers.contains(&kind);
    let put = QuestionAt { at: ask.at, known };
    let mut answers = handlers.iter().filter_map(|handler| handler.answer(source, &ask.query, put));
    let Some(answer) = answers.next().filter(|_| is_offered) else {
        let what = kind.word().to_owned();
        return Box::pin(ready(Err(SourceError::new(
            source.info().id.clone(),
            ErrorKind::NotOffered { what },
        ))));
    };
    Box::pin(async {
        let (answered, Cost { bytes_in, requests }) = Cost::of(answer).await;
        answered.map(|reply| Reply {
            bytes_in: reply.bytes_in + bytes_in,
            requests: reply.requests + requests,
            ..reply
        })
    })
}

/// Implements [`Source`] for a type that only reads, by its field `info` and the table `HANDLERS` of its module; with the name of a
/// field that has `info` and `http`, for a source that asks a server.
macro_rules! reads {
    ($Source:ty $(, $server:ident)?) => {
        impl $crate::backend::Source for $Source {
            fn info(&self) -> &$crate::model::source_info::SourceInfo {
                &self.$($server.)?info
            }

            fn answer<'a>(
                &'a self,
                ask: &'a $crate::model::ask::Ask,
                known: Option<u64>,
            ) -> $crate::backend::Answering<'a> {
                $crate::backend::handlers::answer_by(self, HANDLERS, ask, known)
            }

            $(fn load(&self) -> Option<$crate::model::labels::Text> {
                self.$server.http.load()
            })?
        }
    };
}
pub(super) use reads;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Clock, demo};
    use crate::model::ask::Answered;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    async fn ask(source: &str, ask: Ask) -> Answered {
        let sources = demo::sources(1, Clock::fixed(now()), demo::origin(now(), 1.0, 1.0), 1.0);
        let source = sources.iter().find(|one| one.info().id.as_str() == source).unwrap();
        source.answer(&ask, None).await
    }

    #[tokio::test]
    async fn what_a_source_lists_is_answered_and_all_else_is_not_offered() {
        let not_offered = |answered: Answered| {
            let failure = answered.unwrap_err().kind;
            assert!(matches!(failure, ErrorKind::NotOffered { .. }), "{failure:?}");
        };
        assert!(ask("alertmanager", Query::Alerts.now()).await.is_ok());
        not_offered(ask("alertmanager", Query::OnCall.now()).await);
        // alerts have no history: a question about the past must not be answered with the current alerts
        let past = Moment::At(Timestamp::from_second(1_799_999_000).unwrap());
        not_offered(ask("alertmanager", Query::Alerts.at(past)).await);
        assert!(ask("prom-eu", Query::Services.at(past)).await.is_ok());
    }
}
