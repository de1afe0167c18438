"""Every error medprompt raises on purpose.

    MedpromptError          1   something failed for one case
    ├── UsageError          2   the command line cannot be understood
    ├── InputError         65   an input file or folder cannot be used
    ├── WeightsError       69   weights are missing, damaged or do not fit
    ├── DeviceError        69   the requested device is not there
    ├── OutputError         1   a result could not be written
    ├── KilledProcessError  1   the process that did one case alone died of it
    └── PreemptedError     75   stopped from outside; run again to resume

The numbers are exit codes, after BSD sysexits where one fits.
"""


class MedpromptError(Exception):
    """What went wrong, and the one next thing to try.

    Args:
        problem: One sentence with the file and the offending value in it.
        remedy: One imperative sentence.
    """

    exit_code = 1

    def __init__(self, problem: str, *, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy

    def __reduce__(self) -> tuple[object, ...]:
        # that of exceptions would call __init__ without its keywords
        return _anew, (type(self), self.args), vars(self)


class UsageError(MedpromptError):
    """The command line or the prompt cannot be understood."""

    exit_code = 2


class InputError(MedpromptError):
    """An input cannot be used.

    Args:
        problem: One sentence with the file and the offending value in it.
        remedy: One imperative sentence.
        code: Stable reason code in kebab-case, e.g. `truncated` or `no-affine`.
    """

    exit_code = 65

    def __init__(self, problem: str, *, remedy: str, code: str = "unusable") -> None:
        super().__init__(problem, remedy=remedy)
        self.code = code


class WeightsError(MedpromptError):
    """Weights are missing, damaged, or do not fit the network."""

    exit_code = 69


class DeviceError(MedpromptError):
    """The requested device is not available."""

    exit_code = 69


class OutputError(MedpromptError):
    """A result could not be written."""


class KilledProcessError(MedpromptError):
    """The process that did one case alone was killed, or ended without a word."""


class PreemptedError(MedpromptError):
    """The run was stopped from outside and can be resumed."""

    exit_code = 75


def _anew(kind: type[MedpromptError], said: tuple[object, ...]) -> MedpromptError:
    return kind.__new__(kind, *said)


def one_line(text: str) -> str:
    """`text` with line breaks, control characters and undecodable bytes spelt out.

    Names of files may hold them, and would pretend to be further lines of what is printed.
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )
