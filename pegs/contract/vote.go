package contract

import (
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// Kinds of rows of votes.
const (
	kindVote   = "vote"
	kindMint   = "mint"
	kindChange = "change"
)

// agreed counts the sender's vote for doing something to a subject with these
// values and says whether the threshold is reached. One vote of an attestor is
// open for a subject: a new one replaces it. When the threshold is reached all
// votes for the subject are removed; if the action then fails, the savepoint
// brings them back.
func (c *call) agreed(subject string, values ...any) bool {
	subject = c.ActionName() + " " + subject
	value := jsvalue.Stringify(jsvalue.NewObject(values...))
	votes := c.Table("votes")
	var open []state.Row
	count := 1.0
	for row := range votes.FindAll("kind+subject+attestor", kindVote, subject) {
		open = append(open, row)
		who := text(row, "attestor")
		if who != c.Sender() && text(row, "value") == value && c.isAttestor(who) {
			count++
		}
	}
	if count >= number(c.params, "threshold") {
		for _, row := range open {
			votes.Remove(row)
		}
		return true
	}
	if own := votes.Find1("kind+subject+attestor", kindVote, subject, c.Sender()); own != nil {
		change(votes, own, "value", value, "block", c.ref())
		return false
	}
	votes.Insert(jsvalue.NewObject("kind", kindVote, "subject", subject, "attestor", c.Sender(), "value", value, "block", c.ref()))
	return false
}

// forgetVotes removes the open votes of an attestor.
func (c *call) forgetVotes(account string) {
	votes := c.Table("votes")
	for row := range votes.FindAll("attestor", account) {
		votes.Remove(row)
	}
}
