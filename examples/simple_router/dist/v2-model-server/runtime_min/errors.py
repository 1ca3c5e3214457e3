"""The counterparts of `mlrun.errors` (1.12): `error_status_code` is what is answered."""

from __future__ import annotations

from typing import Any

from .nuclio import message


class MLRunBaseError(Exception):
    """The base of most of them."""


class MLRunHTTPError(MLRunBaseError, OSError):
    """In mlrun a `requests.HTTPError`, which is an OSError, too."""

    def __init__(self, *args: Any, response: Any = None, **kwargs: Any) -> None:
        super().__init__(*args)
        self.response = response


class MLRunHTTPStatusError(MLRunHTTPError):
    """An error that has a status of its own."""

    error_status_code: int | None = None


class MLRunUnauthorizedError(MLRunHTTPStatusError):
    error_status_code = 401


class MLRunAccessDeniedError(MLRunHTTPStatusError):
    error_status_code = 403


class MLRunNotFoundError(MLRunHTTPStatusError):
    error_status_code = 404


class MLRunPaginationEndOfResultsError(MLRunNotFoundError):
    pass


class MLRunBadRequestError(MLRunHTTPStatusError):
    error_status_code = 400


class MLRunMissingProjectError(MLRunBadRequestError):
    default_message = "Project must be provided"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.default_message)


class MLRunMethodNotAllowedError(MLRunHTTPStatusError):
    error_status_code = 405


class MLRunUnprocessableEntityError(MLRunHTTPStatusError):
    error_status_code = 422


class MLRunInvalidArgumentError(MLRunHTTPStatusError, ValueError):
    error_status_code = 400


class MLRunModelLimitExceededError(MLRunHTTPStatusError, ValueError):
    error_status_code = 400


class MLRunInvalidArgumentTypeError(MLRunHTTPStatusError, TypeError):
    error_status_code = 400


class MLRunConflictError(MLRunHTTPStatusError):
    error_status_code = 409


class MLRunPreconditionFailedError(MLRunHTTPStatusError):
    error_status_code = 412


class MLRunIncompatibleVersionError(MLRunHTTPStatusError):
    error_status_code = 400


class MLRunInternalServerError(MLRunHTTPStatusError):
    error_status_code = 500


class MLRunMissingDependencyError(MLRunInternalServerError):
    pass


class MLRunNotImplementedServerError(MLRunHTTPStatusError):
    error_status_code = 501


class MLRunServiceUnavailableError(MLRunHTTPStatusError):
    error_status_code = 503


class MLRunRuntimeError(MLRunHTTPStatusError, RuntimeError):
    error_status_code = 500


class MLRunTimeoutError(MLRunHTTPStatusError, TimeoutError):
    error_status_code = 504


class MLRunTaskNotReadyError(MLRunBaseError):
    pass


class MLRunValueError(ValueError):
    pass


class MLRunRetryExhaustedError(Exception):
    pass


class MLRunTaskCancelledError(Exception):
    pass


class MLRunFatalFailureError(Exception):
    def __init__(
        self, *args: Any, original_exception: Exception | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.original_exception = original_exception


def err_to_str(err: Any) -> str:
    """An exception's message and those of its causes."""
    if not isinstance(err, BaseException):
        return err or ""
    return message(err)


def err_for_status_code(status_code: int, message: str | None = None) -> MLRunHTTPError:
    """The error that stands for a status."""
    return _of_status(int(status_code))(message)


def raise_for_status(response: Any, message: str | None = None) -> None:
    """Raises the error that stands for an HTTP answer's status, of requests or aiohttp."""
    try:
        response.raise_for_status()
    except Exception as exc:
        status = getattr(response, "status_code", None) or getattr(
            response, "status", None
        )
        if getattr(exc, "response", None) is None and not hasattr(exc, "status"):
            raise  # not about the status
        text = message or err_to_str(exc)
        raise _of_status(status)(text, response=response) from exc


def _of_status(status: int | None) -> type[MLRunHTTPError]:
    return _STATUS_ERRORS.get(status or 0, MLRunHTTPError)


#: As mlrun 1.12 has it; several errors share a status.
_STATUS_ERRORS: dict[int, type[MLRunHTTPError]] = {
    400: MLRunBadRequestError,
    401: MLRunUnauthorizedError,
    403: MLRunAccessDeniedError,
    404: MLRunNotFoundError,
    409: MLRunConflictError,
    412: MLRunPreconditionFailedError,
    500: MLRunInternalServerError,
    501: MLRunNotImplementedServerError,
    503: MLRunServiceUnavailableError,
}
