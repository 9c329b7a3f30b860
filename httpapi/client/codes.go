package client

// The codes of the API's problem documents that a program may want to decide by.
const (
	CodeUnauthorized      = "unauthorized"
	CodeTooManyAttempts   = "too_many_attempts"
	CodeInvalidUID        = "invalid_uid"
	CodeInvalidEnv        = "invalid_env"
	CodeInvalidRequest    = "invalid_request"
	CodeAppMissing        = "app_missing"
	CodeUnknownApp        = "unknown_app"
	CodeUnknownUID        = "unknown_uid"
	CodeNotRunning        = "not_running"
	CodeViewOnly          = "view_only"
	CodeNoPicture         = "no_picture"
	CodeStopped           = "stopped"
	CodePortsExhausted    = "ports_exhausted"
	CodeAtCapacity        = "at_capacity"
	CodeQueueTimeout      = "queue_timeout"
	CodeStartFailed       = "start_failed"
	CodeStartTimeout      = "start_timeout"
	CodeImageNotFound     = "image_not_found"
	CodeEngineUnavailable = "engine_unavailable"
	CodeEngineExhausted   = "engine_exhausted"
	CodeUnsupported       = "unsupported"
	CodeShuttingDown      = "shutting_down"
	CodeInternal          = "internal"

	// CodeForeign is the client's own: what answered did not answer like a Sage.
	CodeForeign = "foreign_answer"
)
