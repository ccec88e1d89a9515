//! Classes of tickets: each once, with a deadline that can be reckoned.

use std::{collections::BTreeMap, sync::Arc};

use super::world::World;
use crate::{
    diagnostics::{Code, Finding},
    hotline::{Deadline, TicketClass},
    syntax::{DeadlineSyntax, TicketClassSyntax},
};

/// Checks all classes.
pub(super) fn check(world: &World<'_>, tickets: &[TicketClassSyntax]) -> BTreeMap<Arc<str>, TicketClass> {
    let mut names = BTreeMap::new();
    let mut checked = BTreeMap::new();
    for ticket in tickets {
        let name = &ticket.name;
        if let Some(first) = names.insert(name.as_str(), name.span) {
            world.report(
                Finding::new(
                    Code::DuplicateName,
                    name.span,
                    format!("there are two classes of tickets `{}`", name.as_str()),
                )
                .label(first, "the other")
                .help("give one of them another name"),
            );
        }
        let deadline = match &ticket.deadline {
            Some(DeadlineSyntax::Within(time)) => Deadline::Within(*time),
            Some(DeadlineSyntax::WorkingDays { days, calendar }) => {
                world.calendar(calendar);
                Deadline::WorkingDays {
                    days: *days,
                    calendar: calendar.value.clone(),
                }
            }
            // Has been reported.
            None => continue,
        };
        if let Some(department) = &ticket.department {
            let class = TicketClass {
                department: department.value.clone(),
                deadline,
            };
            checked.insert(name.value.clone(), class);
        }
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::super::harness::assert_findings;

    #[test]
    fn classes_and_steps_of_tickets() {
        assert_findings(
            r##"
--- tickets/noise.yaml
ticket: noise
#       ^^^^^ TL0109: there are two classes of tickets `noise`
department: environment
deadline: { working-days: 5, calendar: offce }
#                                      ^^^^^ TL0601: there is no calendar `offce`
--- tickets/again.yaml
ticket: noise
department: water
deadline: 2
#         ^ TL0010: `deadline`
--- tickets/leak.yaml
ticket: leak
#       ^^^^ TL0007: a class of tickets needs `department`
#       ^^^^ TL0807: no step opens a ticket of the class `leak`
deadline: { working-days: 0, calendar: always }
#                         ^ TL0010: `working-days` is at least 1
--- tickets/broken.yaml
ticket: broken: yes
#             ^ TL0001: 
--- flows/main.yaml
flow: main
vars: { citizen: crm.citizen?, id: string?, ticket: ticket?, words: { type: string, is: 水 } }
start: a
steps:
  a: { ticket: open, class: noise, with: { summary: 水管漏水, number: 3 }, on: { else: b }, next: b }
  b: { ticket: open, class: nois, with: { summary: "${words}", who: "${citizen}", since: "${now.date}" }, save: id, on: { else: c }, next: c }
#                           ^^^^ TL0805: there is no class of tickets `nois`
#                                                                      ^^^^^^^ TL0205: `citizen` may be absent here
#                                                                      ^^^^^^^ TL0406: a citizen cannot be said
  c: { ticket: open, class: broken, number: "1", save: ticket, on: { else: d }, next: d }
#                                   ^^^^^^ TL0006: `number` belongs to `ticket: update` and `ticket: look-up`
#                                                      ^^^^^^ TL0202: `ticket` is a ticket?, but this gives a string
  d: { ticket: update, number: "${id}", with: { note: "${words}", count: 3 }, on: { else: e }, next: e }
#                                 ^^ TL0205: `id` may be absent here
  e: { ticket: look-up, class: noise, save: id, on: { else: f }, next: f }
#                       ^^^^^ TL0006: `class` belongs to `ticket: open`
#                                           ^^ TL0202: `id` is a string?, but this gives a ticket
  f: { ticket: look-up, on: { else: g }, next: g }
# ^ TL0007: a ticket that is looked up needs `save`
  g: { ticket: look-up, number: "${id}", save: ticket, on: { else: h }, next: say }
#                                  ^^ TL0205: `id` may be absent here
  say: { say: { zh-CN: "{ticket.number} {ticket.due}", en: "{ticket.state} {ticket.satte}" }, next: h }
#                                                                                  ^^^^^ TL0204: a ticket has no field `satte`
  h: { end: completed }
"##,
        );
    }

    #[test]
    fn what_is_done_with_tickets_is_known() {
        assert_findings(
            r##"
--- tickets/leak.yaml
ticket: leak
department: water
deadline: 2h
--- flows/main.yaml
flow: main
vars: { id: string? }
start: a
steps:
  a: { ticket: opn, class: leak, on: { else: b }, next: b }
#              ^^^ TL0010: `opn` is nothing that is done with a ticket
  b: { ticket: update, save: id, on: { else: c }, next: c }
# ^ TL0007: a `ticket` step needs `number`
# ^ TL0007: a `ticket` step needs `with`
  c: { ticket: open, with: { Summary: x }, on: { else: d }, next: d }
# ^ TL0007: a `ticket` step needs `class`
  d: { end: completed }
"##,
        );
    }
}
