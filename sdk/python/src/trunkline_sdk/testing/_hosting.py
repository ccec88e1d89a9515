"""A host in memory, on a clock that moves only when it is told to."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType

from . import _active
from ._lines import Lines
from ._secret import Secret
from ._services import Services
from ._store import Store

#: When a test host begins, unless it is told otherwise.
BEGINS = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


class Host:
    """Answers what a plugin asks of its host, while it is entered::

        with testing.Host(config={"region": "330100"}, locale="en") as host:
            host.http.replies("POST https://crm.civil.example/v1/find", json={"name": "王芳"})
            found = plugin.find_citizen("+8613800138000")
        assert host.log.of("warn") == []

    Nothing is really waited for: time passes by :meth:`pass_time`, and by what a scripted reply takes.
    A request that no reply was scripted for is denied, as one without a grant is, and fails the test
    when the host is left.
    """

    def __init__(
        self,
        *,
        config: Mapping[str, str] | None = None,
        secrets: Mapping[str, Secret] | None = None,
        kv: Store | None = None,
        locale: str = "zh-CN",
        call_id: str = "call-1",
        attempt: int = 1,
        time: timedelta = timedelta(seconds=5),
        now: datetime = BEGINS,
    ) -> None:
        #: Settings, as hotline.yaml gives them under ``config:``. May be changed between calls.
        self.config = dict(config or {})
        #: Secrets that are granted.
        self.secrets = dict(secrets or {})
        #: The key-value store; hand one host's to the next to keep it across calls.
        self.kv = kv if kv is not None else Store()
        #: Lines that the plugin logged.
        self.log = Lines()
        #: Services behind HTTP.
        self.http = Services(self)
        #: Language of the contact.
        self.locale = locale
        #: The call's id, and which attempt it is.
        self.call_id = call_id
        self.attempt = attempt
        #: Now.
        self.now = now
        self._ends = now + time
        self.kv.bind(self)

    def pass_time(self, time: timedelta) -> None:
        """Moves the clock: less time is left for the call, and keys may be over."""
        self.now += time

    def next_call(self, *, call_id: str, time: timedelta = timedelta(seconds=5), attempt: int = 1) -> None:
        """Another call begins, on the same store and the same clock."""
        self.call_id, self.attempt, self._ends = call_id, attempt, self.now + time

    def remaining_ms(self) -> int:
        """Milliseconds that are left for the call."""
        return max((self._ends - self.now) // timedelta(milliseconds=1), 0)

    def __enter__(self) -> "Host":
        _active.enter(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _active.leave(self)
        if error is None:
            self.http.fail_if_unscripted()
