"""Errors of the package. A message quotes what was wrong, says where, and what to do.

GongkaiError
├── UsageError            the command was called wrongly (exit code 2)
├── StartError            nothing could start: no such path, no model (exit code 3)
│   ├── ModelUnavailable  weights missing, damaged, or the server did not come up
│   │   └── EndpointGone  no usable response from the endpoint for a long time
│   └── RunLocked         another process works on this run folder
├── DocumentError         one document cannot be read; the run goes on
│   ├── EmptyFile
│   ├── UnsupportedFormat
│   ├── BrokenFile        damaged, truncated or encrypted
│   ├── NoTextLayer       a PDF of images: OCR is needed
│   ├── TooLarge
│   ├── TookTooLong       over a stated time
│   └── NotAReport        readable, but no annual disclosure report
├── BudgetReached         the next request may cost more than is left of --budget
├── RunStopped            the run is ending: nothing more is asked
├── WaitsForBatch         the answer comes with a batch; the document is done when it is there
├── ModelError            a model call failed for good, for one document
│   ├── TransportFailed   no answer after all retries
│   ├── AnswerInvalid     the answer did not fit its schema after all re-asks
│   │   └── AnswerRefused the model refused to answer, or was kept from it
│   └── AnswerMissing     a recording is played back and lacks the answer
├── GoldError             a gold file is not in the form of the contract
└── PromptError           a prompt file lacks a variable or names an unknown one
"""


class GongkaiError(Exception):
    """Base of every error that this package raises on purpose."""


class UsageError(GongkaiError):
    """The command was called wrongly."""


class StartError(GongkaiError):
    """Nothing could start."""


class ModelUnavailable(StartError):
    """No usable model: weights missing or damaged, server not up, key missing."""


class EndpointGone(ModelUnavailable):
    """The endpoint gives no usable response to anybody: the run stops, nothing is recorded as failed."""


class RunLocked(StartError):
    """Another process works on this run folder."""


class DocumentError(GongkaiError):
    """One document cannot be read. `code` is stable and goes into the record."""

    code = "unreadable"


class EmptyFile(DocumentError):
    """The file holds no bytes or only white space."""

    code = "empty"


class UnsupportedFormat(DocumentError):
    """The content is of no format that can be read."""

    code = "unsupported_format"


class BrokenFile(DocumentError):
    """The file is damaged, cut off or encrypted."""

    code = "broken"


class NoTextLayer(DocumentError):
    """A PDF whose pages are images: it needs OCR."""

    code = "needs_ocr"


class TooLarge(DocumentError):
    """The file is over a stated limit."""

    code = "too_large"


class TookTooLong(DocumentError):
    """Reading the file took longer than a stated limit."""

    code = "timeout"


class NotAReport(DocumentError):
    """The text is readable but is no annual disclosure report."""

    code = "not_a_report"


class BudgetReached(GongkaiError):
    """The next request may cost more than is left of the budget: the run stops in order."""


class RunStopped(GongkaiError):
    """The run is ending: what has no request out is not asked any more."""


class WaitsForBatch(GongkaiError):
    """An answer is not there yet: its question goes out with a batch."""


class ModelError(GongkaiError):
    """A model call failed for good. `spent` is the Usage of what was asked in vain."""

    code = "model"
    spent: object = None


class TransportFailed(ModelError):
    """No answer from the endpoint after all retries."""

    code = "model_transport"


class AnswerInvalid(ModelError):
    """The answer did not fit its schema after all re-asks."""

    code = "model_answer"


class AnswerRefused(AnswerInvalid):
    """The model refused to answer, or a filter kept it from answering."""


class AnswerMissing(ModelError):
    """A recording is played back and holds no answer to the question."""

    code = "model_not_recorded"


class GoldError(GongkaiError):
    """A gold file is not in the form of the contract."""


class PromptError(GongkaiError):
    """A prompt file lacks a declared variable or uses an undeclared one."""
