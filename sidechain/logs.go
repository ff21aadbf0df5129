package sidechain

import (
	"causeway/sidechain/jsvalue"
)

// logs are the errors and events of a call, nested ones included.
type logs struct {
	errors []string
	events []*jsvalue.Object
}

// reset empties the lists, whose memory is used again.
func (l *logs) reset() *logs {
	clear(l.events)
	l.errors, l.events = l.errors[:0], l.events[:0]
	return l
}

// Logs that mean that a tick did nothing and is not kept.
const (
	emptyLogs       = "{}"
	unknownLogs     = `{"errors":["unknown error"]}`
	noContractLogs  = `{"errors":["contract doesn't exist"]}`
	unknownError    = "unknown error"
	noContractError = "contract doesn't exist"
)

// appendJSON appends the logs member of a transaction: empty lists are left
// out; errors come first unless the logs went through the fee's merge.
func (l *logs) appendJSON(buf []byte, eventsFirst bool) []byte {
	if len(l.errors) == 0 && len(l.events) == 0 {
		return append(buf, emptyLogs...)
	}
	start := len(buf)
	if eventsFirst {
		buf = l.appendErrors(l.appendEvents(buf))
	} else {
		buf = l.appendEvents(l.appendErrors(buf))
	}
	buf[start] = '{' // in place of the first comma
	return append(buf, '}')
}

func (l *logs) appendErrors(buf []byte) []byte {
	if len(l.errors) == 0 {
		return buf
	}
	buf = append(buf, `,"errors":`...)
	for i, e := range l.errors {
		buf = append(buf, separator(i))
		buf = jsvalue.AppendQuoted(buf, e)
	}
	return append(buf, ']')
}

func (l *logs) appendEvents(buf []byte) []byte {
	if len(l.events) == 0 {
		return buf
	}
	buf = append(buf, `,"events":`...)
	for i, e := range l.events {
		buf = append(buf, separator(i))
		buf = jsvalue.AppendJSON(buf, e)
	}
	return append(buf, ']')
}

func separator(i int) byte {
	if i == 0 {
		return '['
	}
	return ','
}
