//! Only for fuzzing (`--cfg fuzzing`): answers out of memory in place of the network.

use std::cell::RefCell;
use std::sync::OnceLock;

use reqwest::{Client, Request, Response};

type Answers = Box<dyn FnMut(&str) -> Response>;

thread_local! {
    static ANSWERS: RefCell<Option<Answers>> = const { RefCell::new(None) };
}

/// From here on every request of this thread is answered by this, by its path.
pub fn answer_with(answers: impl FnMut(&str) -> Response + 'static) {
    ANSWERS.with_borrow_mut(|known| *known = Some(Box::new(answers)));
}

/// The answer to a request, if there are such.
pub(super) fn to(request: &Request) -> Option<Response> {
    ANSWERS.with_borrow_mut(|answers| answers.as_mut().map(|answers| answers(request.url().path())))
}

/// One client for all: a new one reads certificates, which takes longer than all else.
pub(super) fn client() -> Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(Client::new).clone()
}
