//! PromQL as far as the demo world understands it: its own rules' expressions, compared and narrowed down.

use promql_parser::parser::Expr;

use crate::model::promql;
use crate::model::series::{Line, Matrix, Span};
use crate::model::source::Trouble;

use super::alerts::Subject;
use super::book::Region;
use super::promised::Stage;
use super::rules::Rule;
use super::timeline::Timeline;
use super::world::DemoWorld;

/// A query, understood.
#[derive(Debug)]
struct Wish<'a> {
    rule: &'a Rule,
    /// Labels that the lines must have.
    wanted: Vec<(String, String)>,
    /// Comparisons: points that do not hold are left out.
    kept: Vec<(Sign, f64)>,
}

#[derive(Debug, Clone, Copy)]
enum Sign {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equal,
    Not,
}

impl Sign {
    fn holds(self, value: f64, limit: f64) -> bool {
        let same = (value - limit).abs() < f64::EPSILON;
        match self {
            Self::Above => value > limit,
            Self::AtLeast => value >= limit,
            Self::Below => value < limit,
            Self::AtMost => value <= limit,
            Self::Equal => same,
            Self::Not => !same,
        }
    }
}

impl DemoWorld {
    /// The lines of an expression in a region.
    pub(super) fn series(
        &self,
        query: &str,
        region: Region,
        span: Span,
        clock: &Timeline,
    ) -> Result<Matrix, Trouble> {
        let expr =
            promql::parse(query).map_err(|reason| Trouble::BadQuery { message: reason.to_string() })?;
        if let Some(mut lines) = self.promised(&expr, Stage { region, span, clock }) {
            lines.sort_by(|a, b| a.labels.cmp(&b.labels));
            return Ok(Matrix { span, lines });
        }
        let wish = self.wish(&expr, region).ok_or_else(|| Trouble::BadQuery {
            message: "the demo world knows only its own expressions".into(),
        })?;
        let subjects = self.subjects(wish.rule);
        let mut lines: Vec<Line> = subjects
            .into_iter()
            .filter(|subject| wish.wanted.iter().all(|(name, value)| subject.labels.value(name) == value))
            .map(|subject| Line {
                values: (0..span.count())
                    .map(|i| self.point(&wish, &subject, clock.demo(span.at(i))))
                    .collect(),
                labels: subject.labels,
            })
            .collect();
        lines.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(Matrix { span, lines })
    }

    fn point(&self, wish: &Wish<'_>, subject: &Subject<'_>, t: f64) -> f64 {
        let value = self.value(wish.rule, subject, t).unwrap_or(f64::NAN);
        if wish.kept.iter().all(|(sign, limit)| sign.holds(value, *limit)) { value } else { f64::NAN }
    }

    fn wish(&self, expr: &Expr, region: Region) -> Option<Wish<'_>> {
        // printed, so that the order of matchers makes no difference
        let printed = expr.to_string();
        if let Some(rule) = self.rules_of(region).find(|rule| rule.left == printed) {
            return Some(Wish { rule, wanted: Vec::new(), kept: Vec::new() });
        }
        match expr {
            Expr::Paren(paren) => self.wish(&paren.expr, region),
            Expr::Binary(binary) => {
                let mut wish = self.wish(&binary.lhs, region)?;
                match (&*binary.op.to_string(), &*binary.rhs) {
                    ("and", right) => wish.wanted.extend(replaced(right)?),
                    (sign, Expr::NumberLiteral(number)) => wish.kept.push((self::sign(sign)?, number.val)),
                    _ => return None,
                }
                Some(wish)
            }
            _ => None,
        }
    }
}

fn sign(text: &str) -> Option<Sign> {
    Some(match text {
        ">" => Sign::Above,
        ">=" => Sign::AtLeast,
        "<" => Sign::Below,
        "<=" => Sign::AtMost,
        "==" => Sign::Equal,
        "!=" => Sign::Not,
        _ => return None,
    })
}

/// The labels that nested `label_replace(vector(1), "name", "value", "", "")` make.
fn replaced(expr: &Expr) -> Option<Vec<(String, String)>> {
    match expr {
        Expr::Paren(paren) => replaced(&paren.expr),
        Expr::Call(call) if call.func.name == "vector" => Some(Vec::new()),
        Expr::Call(call) if call.func.name == "label_replace" => {
            let arguments: Vec<&Expr> = call.args.args.iter().map(|argument| &**argument).collect();
            let [inner, Expr::StringLiteral(name), Expr::StringLiteral(value), ..] = arguments.as_slice()
            else {
                return None;
            };
            let mut labels = replaced(inner)?;
            // in a replacement a dollar sign is written twice
            labels.push((name.val.clone(), value.val.replace("$$", "$")));
            Some(labels)
        }
        _ => None,
    }
}
