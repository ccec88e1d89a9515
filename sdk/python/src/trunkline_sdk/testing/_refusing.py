"""Expecting that a function says no."""

from types import TracebackType
from typing import Any


class refuses:
    """Fails unless what stands within raises a :class:`trunkline_sdk.Refusal` with a case: a class of
    the bindings, or a value such as an enum's member. The case is `value` afterwards::

        with testing.refuses(matters.MatterError_Unsure) as refused:
            plugin.classify("嗯")
        self.assertEqual(len(refused.value.value), 2)
    """

    def __init__(self, case: Any) -> None:
        self._case = case
        self.value: Any = None

    def __enter__(self) -> "refuses":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        import trunkline_sdk

        if error is None:
            raise AssertionError(f"it did not refuse; {self._case!r} was expected")
        if not isinstance(error, trunkline_sdk.Refusal):
            return False
        self.value = error.value
        expected = isinstance(self._case, type)
        if isinstance(self.value, self._case) if expected else self.value == self._case:
            return True
        raise AssertionError(f"it refused with {self.value!r}; {self._case!r} was expected") from None
