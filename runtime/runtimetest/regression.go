package runtimetest

// regressionCases are bugs that were found on one engine and are looked for on
// all of them since. A case is named after what went wrong.
func regressionCases() []testCase {
	return nil
}
