//! Events as a reader of transcripts is told them.

use trunkline_engine::{
    Event, Fact, Personal, Utterance,
    event::AnswerKind,
    service::{CallbackAnswer, QueueAnswer, ServiceAnswer, TicketAnswer, TransferAnswer},
};

/// An event in a line; none for those that say nothing new to a reader. The answer of a call
/// names no plugin: it follows the line of its call.
pub fn told(event: &Event) -> Option<String> {
    let text = event.personal.as_ref().and_then(Personal::text);
    let text = text.map_or_else(String::new, |text| text.replace('\n', " "));
    Some(match &event.fact {
        Fact::Said {
            prompt: Some(key), ..
        } => format!("says {key}: {text}"),
        Fact::Said { prompt: None, .. } => format!("says: {text}"),
        Fact::Asked { expects, until, .. } => {
            let words = if expects.text { " or words" } else { "" };
            let keys = match (expects.keys.is_empty(), expects.text) {
                (false, _) => format!("keys {}", expects.keys),
                (true, true) => String::new(),
                (true, false) => "nothing".to_owned(),
            };
            let ways = format!("{keys}{words}");
            let ways = ways.trim_start_matches(" or ");
            format!("waits {} for {ways}", until.since(event.at))
        }
        Fact::Heard { .. } => match &event.personal {
            Some(Personal::Utterance(Utterance::Keys(keys))) => format!("caller presses {keys}"),
            Some(Personal::Utterance(Utterance::Text(words))) => format!("caller says {words}"),
            _ => "caller gives something".to_owned(),
        },
        Fact::HungUp { .. } => "caller leaves".to_owned(),
        Fact::InputRefused { why, .. } => format!("not taken: {why}"),
        Fact::Misheard { why, .. } => format!("misheard: {why}"),
        Fact::CallRequested {
            plugin,
            function,
            attempt,
            ..
        } => {
            let name = function.as_str();
            let name = name.rsplit_once('#').map_or(name, |(_, name)| name);
            if *attempt == 1 {
                format!("calls {plugin}.{name}")
            } else {
                format!("calls {plugin}.{name}, attempt {attempt}")
            }
        }
        Fact::CallAnswered { answer, .. } => format!("answered: {}", answered(answer)),
        Fact::AnsweredLate { answer, .. } => format!("answered too late: {}", answered(answer)),
        Fact::LanguageSet { language } => format!("language {language}"),
        Fact::Waiting {
            event: Some(name), ..
        } => format!("waits for {name}"),
        Fact::Waiting { until, .. } => format!("waits {}", until.since(event.at)),
        Fact::Resumed { away } => format!("the node restarts after {away}"),
        Fact::ExpressionFailed { step, reason } => format!("an expression of {step} failed: {reason}"),
        Fact::LimitHit { limit } => format!("a limit was hit: {limit}"),
        Fact::Ended { outcome, .. } => format!("ended {outcome}"),
        Fact::ServiceAsked {
            demand, attempt: 1, ..
        } => format!("asks the {}", demand.service()),
        Fact::ServiceAsked { demand, attempt, .. } => {
            format!("asks the {}, attempt {attempt}", demand.service())
        }
        Fact::ServiceAnswered { answer, .. } => service(answer),
        Fact::ServiceAnsweredLate { answer, .. } => format!("too late: {}", service(answer)),
        Fact::EventHappened { event, .. } => format!("happened: {event}"),
        // Steps, variables and readings decide; a reader of a transcript sees what came of it.
        _ => return None,
    })
}

fn answered(answer: &AnswerKind) -> String {
    match answer {
        AnswerKind::Ok => "ok".to_owned(),
        AnswerKind::Refusal(case) => case.to_string(),
        AnswerKind::Fault(kind) => format!("fault {kind}"),
    }
}

fn service(answer: &ServiceAnswer) -> String {
    match answer {
        ServiceAnswer::Queue(answer) => match answer {
            QueueAnswer::Joined { position, wait } => format!("place {position} in the queue, about {wait}"),
            QueueAnswer::Offered { agent } => format!("offered to {agent}"),
            QueueAnswer::NotTaken { agent } => format!("{agent} does not answer"),
            QueueAnswer::AgentJoined { agent } => format!("{agent} answers"),
            QueueAnswer::AgentLeft => "the agent leaves".to_owned(),
            QueueAnswer::Full => "the queue is full".to_owned(),
            QueueAnswer::Closed => "the queue is closed".to_owned(),
            QueueAnswer::NoAgents => "nobody serves the queue".to_owned(),
            QueueAnswer::Failed => "the queue failed".to_owned(),
        },
        ServiceAnswer::Transfer(answer) => match answer {
            TransferAnswer::Ringing => "it rings".to_owned(),
            TransferAnswer::Answered => "somebody answers".to_owned(),
            TransferAnswer::Joined => "somebody answers and joins the call".to_owned(),
            TransferAnswer::OtherLegEnded => "the other side leaves".to_owned(),
            TransferAnswer::Busy => "busy".to_owned(),
            TransferAnswer::NoAnswer => "nobody answers".to_owned(),
            TransferAnswer::Failed => "no connection".to_owned(),
        },
        ServiceAnswer::Callback(answer) => match answer {
            CallbackAnswer::Booked { .. } => "a callback is booked".to_owned(),
            CallbackAnswer::Duplicate { .. } => "a callback is booked already".to_owned(),
            CallbackAnswer::Refused => "no callback is booked".to_owned(),
        },
        ServiceAnswer::Ticket(answer) => match answer {
            TicketAnswer::Opened(ticket) => format!("ticket {} of {} opened", ticket.number, ticket.class),
            TicketAnswer::Found(ticket) => format!("ticket {} found: {}", ticket.number, ticket.state),
            TicketAnswer::Updated { number } => format!("ticket {number} updated"),
            TicketAnswer::Duplicate { .. } => "the ticket is open already".to_owned(),
            TicketAnswer::Refused => "no ticket".to_owned(),
        },
        ServiceAnswer::Survey(answer) => format!("survey {answer:?}").to_lowercase(),
        ServiceAnswer::Notify(answer) => format!("message {answer:?}").to_lowercase(),
        ServiceAnswer::Record(answer) => format!("recording {answer:?}").to_lowercase(),
    }
}
