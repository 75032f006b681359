//! How long somebody has been behind: since it last came further, or since it was there.

use super::{Alarm, News};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// What is remembered from look to look.
#[derive(Debug, Default)]
pub(super) struct Memory {
    followers: HashMap<String, Progress>,
    raised: BTreeMap<(&'static str, String), String>,
}

#[derive(Debug, Clone, Copy)]
struct Progress {
    value: i64,
    since: Instant,
}

impl Memory {
    /// How long `who`, who is at `value` of `goal`, has made no progress; `None` for who is there.
    pub(super) fn behind(&mut self, who: &str, value: i64, goal: i64, now: Instant) -> Option<Duration> {
        let fresh = Progress { value, since: now };
        let known = self.followers.entry(who.to_owned()).or_insert(fresh);
        if value >= goal || value != known.value {
            *known = fresh;
        }
        (value < goal).then(|| now.saturating_duration_since(known.since))
    }

    /// Forgets who is not there any more.
    pub(super) fn keep(&mut self, prefix: &str, is_there: impl Fn(&str) -> bool) {
        self.followers
            .retain(|who, _| who.strip_prefix(prefix).is_none_or(&is_there));
    }

    /// What these alarms change: the new ones, and those that are over.
    pub(super) fn news(&mut self, alarms: &[Alarm]) -> Vec<News> {
        let key = |alarm: &Alarm| (alarm.kind, alarm.subject.clone());
        let now: BTreeMap<_, _> = alarms
            .iter()
            .map(|alarm| (key(alarm), alarm.text.clone()))
            .collect();
        let raised = alarms
            .iter()
            .filter(|alarm| !self.raised.contains_key(&key(alarm)));
        let mut news: Vec<News> = raised
            .map(|alarm| News {
                raised: true,
                text: alarm.text.clone(),
            })
            .collect();
        let over = self.raised.iter().filter(|(key, _)| !now.contains_key(key));
        news.extend(over.map(|(_, text)| News {
            raised: false,
            text: format!("over: {text}"),
        }));
        self.raised = now;
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Severity;

    #[test]
    fn who_comes_further_is_not_stale_however_far_behind() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let at = |secs: u64| start + Duration::from_secs(secs);
        assert_eq!(memory.behind("c", 5, 5, at(0)), None);
        assert_eq!(memory.behind("c", 5, 6, at(10)), Some(Duration::from_secs(10)));
        assert_eq!(memory.behind("c", 6, 9, at(20)), Some(Duration::ZERO), "it moved");
        assert_eq!(memory.behind("c", 6, 12, at(50)), Some(Duration::from_secs(30)));
        assert_eq!(memory.behind("c", 12, 12, at(60)), None);
        assert_eq!(memory.behind("c", 12, 13, at(61)), Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_chassis_that_was_removed_is_forgotten() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        memory.behind("chassis/a", 0, 1, now);
        memory.keep("chassis/", |_| false);
        let later = now + Duration::from_secs(9);
        assert_eq!(memory.behind("chassis/a", 0, 1, later), Some(Duration::ZERO));
    }

    #[test]
    fn an_alarm_is_told_when_it_comes_and_when_it_goes() {
        let mut memory = Memory::default();
        let alarm = Alarm {
            kind: "chassis_stale",
            severity: Severity::Warning,
            subject: "hv1".to_owned(),
            text: "hv1 is behind".to_owned(),
            fix: "",
        };
        let told = |news: Vec<News>| -> Vec<(bool, String)> {
            news.into_iter().map(|news| (news.raised, news.text)).collect()
        };
        let raised = [(true, "hv1 is behind".to_owned())];
        assert_eq!(told(memory.news(std::slice::from_ref(&alarm))), raised);
        let later = Alarm {
            text: "hv1 is behind, still".to_owned(),
            ..alarm
        };
        assert_eq!(told(memory.news(&[later])), [], "it is the same one");
        assert_eq!(
            told(memory.news(&[])),
            [(false, "over: hv1 is behind, still".to_owned())]
        );
    }
}
