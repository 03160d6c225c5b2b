package main

import "io"

func simulateFile([]string, io.Writer) error { return errUsage }
