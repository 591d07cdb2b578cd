//! What `/metrics` counts, in Prometheus' text format. Counters are plain atomics: a request costs a few
//! nanoseconds of them.

use pisax_store::knowledge::KnowledgeCounts;
use pisax_store::maintenance::Counts;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    Api,
    Page,
    Asset,
    /// Health and metrics.
    Probe,
}

const ROUTES: [(Route, &str); 4] =
    [(Route::Api, "api"), (Route::Page, "page"), (Route::Asset, "asset"), (Route::Probe, "probe")];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Upper bounds in seconds: from a key look-up to an export of everything.
const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

#[derive(Default)]
struct PerRoute {
    by_class: [AtomicU64; CLASSES.len()],
    /// Requests at most as long as each bound, and longer than the one before; the last is beyond all.
    by_duration: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

#[derive(Default)]
pub struct Metrics {
    routes: [PerRoute; ROUTES.len()],
    in_flight: AtomicI64,
}

/// A request under way; dropping it is its end, however it ends.
pub struct InFlight<'a>(&'a Metrics);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub fn begin(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self)
    }

    /// Counts a request whose answer begins after this time.
    pub fn record(&self, route: Route, status: u16, spent: Duration) {
        let counts = &self.routes[route as usize];
        let class = usize::from(status / 100).clamp(1, CLASSES.len()) - 1;
        counts.by_class[class].fetch_add(1, Ordering::Relaxed);
        let seconds = spent.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        counts.by_duration[bucket].fetch_add(1, Ordering::Relaxed);
        counts.micros.fetch_add(spent.as_micros() as u64, Ordering::Relaxed);
    }

    /// Everything, as Prometheus reads it.
    pub fn text(&self, stored: Option<&(Counts, KnowledgeCounts)>) -> String {
        let mut out = String::with_capacity(8192);
        head(&mut out, "pisax_build_info", "gauge", "Which PISAX this is.");
        line(&mut out, "pisax_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        self.requests(&mut out);
        head(&mut out, "pisax_http_requests_in_flight", "gauge", "Requests whose answer has not begun.");
        line(&mut out, "pisax_http_requests_in_flight", &[], self.in_flight.load(Ordering::Relaxed));
        if let Some((counts, knowledge)) = stored {
            rows(&mut out, counts, knowledge);
        }
        if let Some(bytes) = resident_bytes() {
            head(&mut out, "process_resident_memory_bytes", "gauge", "Memory of this process in RAM.");
            line(&mut out, "process_resident_memory_bytes", &[], bytes);
        }
        out
    }

    fn requests(&self, out: &mut String) {
        let requests = "pisax_http_requests_total";
        head(out, requests, "counter", "Answered requests.");
        for (route, name) in ROUTES {
            for (class, count) in CLASSES.iter().zip(&self.routes[route as usize].by_class) {
                line(out, requests, &[("route", name), ("status", class)], count.load(Ordering::Relaxed));
            }
        }
        head(out, "pisax_http_request_duration_seconds", "histogram", "Time until the answer began.");
        for (route, name) in ROUTES {
            let counts = &self.routes[route as usize];
            let mut sum = 0;
            for (i, count) in counts.by_duration.iter().enumerate() {
                sum += count.load(Ordering::Relaxed);
                let bound = BOUNDS.get(i).map_or_else(|| "+Inf".to_owned(), f64::to_string);
                let labels = [("route", name), ("le", bound.as_str())];
                line(out, "pisax_http_request_duration_seconds_bucket", &labels, sum);
            }
            let seconds = counts.micros.load(Ordering::Relaxed) as f64 / 1e6;
            line(out, "pisax_http_request_duration_seconds_sum", &[("route", name)], seconds);
            line(out, "pisax_http_request_duration_seconds_count", &[("route", name)], sum);
        }
    }
}

fn rows(out: &mut String, counts: &Counts, knowledge: &KnowledgeCounts) {
    head(out, "pisax_stored", "gauge", "Rows in the database.");
    for (noun, number) in [
        ("events", counts.events),
        ("attributes", counts.attributes),
        ("objects", counts.objects),
        ("sightings", counts.sightings),
        ("tags", counts.tags),
        ("organisations", counts.orgs),
        ("users", counts.users),
        ("sharing_groups", counts.sharing_groups),
        ("taxonomies", knowledge.taxonomies),
        ("galaxies", knowledge.galaxies),
        ("galaxy_clusters", knowledge.clusters),
        ("object_templates", knowledge.object_templates),
        ("warninglists", knowledge.warninglists),
    ] {
        line(out, "pisax_stored", &[("noun", noun)], number);
    }
    head(out, "pisax_changes_total", "counter", "Number of the newest entry of the change log.");
    line(out, "pisax_changes_total", &[], counts.last_change);
}

// Writing to a String cannot fail.

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
    out.push_str(name);
    for (i, (label, text)) in labels.iter().enumerate() {
        let _ = write!(out, "{}{label}=\"{text}\"", if i == 0 { '{' } else { ',' });
    }
    let _ = writeln!(out, "{} {value}", if labels.is_empty() { "" } else { "}" });
}

/// Linux says it in `/proc`; elsewhere the figure is left out.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_status_and_duration() {
        let metrics = Metrics::default();
        metrics.record(Route::Api, 200, Duration::from_millis(3));
        metrics.record(Route::Api, 404, Duration::from_secs(120));
        metrics.record(Route::Page, 303, Duration::ZERO);
        let under_way = metrics.begin();
        let text = metrics.text(None);
        for expected in [
            "# TYPE pisax_http_requests_total counter",
            "pisax_http_requests_total{route=\"api\",status=\"2xx\"} 1",
            "pisax_http_requests_total{route=\"api\",status=\"4xx\"} 1",
            "pisax_http_requests_total{route=\"page\",status=\"3xx\"} 1",
            "pisax_http_request_duration_seconds_bucket{route=\"api\",le=\"0.0025\"} 0",
            "pisax_http_request_duration_seconds_bucket{route=\"api\",le=\"0.005\"} 1",
            "pisax_http_request_duration_seconds_bucket{route=\"api\",le=\"60\"} 1",
            "pisax_http_request_duration_seconds_bucket{route=\"api\",le=\"+Inf\"} 2",
            "pisax_http_request_duration_seconds_sum{route=\"api\"} 120.003",
            "pisax_http_request_duration_seconds_count{route=\"api\"} 2",
            "pisax_http_requests_in_flight 1",
        ] {
            assert!(text.lines().any(|line| line == expected), "{expected} is not in\n{text}");
        }
        drop(under_way);
        assert!(metrics.text(None).contains("pisax_http_requests_in_flight 0"));
    }

    #[test]
    fn stored_rows_are_there_when_the_database_answered() {
        let counts = Counts { events: 7, last_change: 9, ..Counts::default() };
        let text = Metrics::default().text(Some(&(counts, KnowledgeCounts::default())));
        assert!(text.contains("pisax_stored{noun=\"events\"} 7\n"));
        assert!(text.contains("pisax_changes_total 9\n"));
        if cfg!(target_os = "linux") {
            assert!(text.contains("process_resident_memory_bytes "));
        }
    }
}
