//! Where things wait: contacts, timers, dispatch, releases, watching, and the HTTP server.
