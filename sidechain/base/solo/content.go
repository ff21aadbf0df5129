package solo

import (
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// maxCommentDepth is Hive's limit of replies to replies.
const maxCommentDepth = 255

func findContent(sec *state.Section, author, permlink string) state.Row {
	return sec.Table(tableContent).Find1("post", author, permlink)
}

// comment writes a post or an edit. The text stays in the block: the row says
// where its newest version stands.
func (r *run) comment(o *graphene.Comment) error {
	if row := findContent(r.sec, o.Author, o.Permlink); row != nil {
		return r.editComment(row, o)
	}
	category, depth := o.ParentPermlink, uint64(0)
	if o.ParentAuthor != "" {
		parent := findContent(r.sec, o.ParentAuthor, o.ParentPermlink)
		if parent == nil {
			return invalid("unknown parent @%s/%s", o.ParentAuthor, o.ParentPermlink)
		}
		category, depth = text(parent, "category"), number(parent, "depth")+1
		if depth > maxCommentDepth {
			return invalid("Comment is nested %d posts deep, maximum depth is %d.", depth, maxCommentDepth)
		}
		r.sec.Table(tableContent).Update(changed(parent, "children", number(parent, "children")+1))
	}
	r.sec.Table(tableContent).Insert(newRow(
		"author", o.Author,
		"permlink", o.Permlink,
		"parent_author", o.ParentAuthor,
		"parent_permlink", o.ParentPermlink,
		"category", category,
		"depth", depth,
		"children", 0,
		"created", r.timestamp,
		"last_update", r.timestamp,
		"block", r.number,
		"transaction", r.index,
		"operation", r.operation,
		"max_accepted_payout", "1000000.000 HBD",
		"percent_hbd", graphene.FullWeight,
		"allow_votes", true,
		"allow_curation_rewards", true,
		"beneficiaries", []jsvalue.Value{},
	))
	return nil
}

func (r *run) editComment(row state.Row, o *graphene.Comment) error {
	if text(row, "parent_author") != o.ParentAuthor || text(row, "parent_permlink") != o.ParentPermlink {
		return invalid("The parent of a comment cannot change.")
	}
	r.sec.Table(tableContent).Update(changed(row,
		"last_update", r.timestamp, "block", r.number, "transaction", r.index, "operation", r.operation))
	return nil
}

// commentOptions may only narrow what is allowed, and name beneficiaries once,
// before the first vote.
func (r *run) commentOptions(o *graphene.CommentOptions) error {
	row := findContent(r.sec, o.Author, o.Permlink)
	if row == nil {
		return invalid("unknown comment @%s/%s", o.Author, o.Permlink)
	}
	payout, _ := graphene.ParseAsset(text(row, "max_accepted_payout")) // written below
	switch {
	case o.AllowCurationRewards && !flag(row, "allow_curation_rewards"):
		return invalid("Curation rewards cannot be re-enabled.")
	case o.AllowVotes && !flag(row, "allow_votes"):
		return invalid("Voting cannot be re-enabled.")
	case o.MaxAcceptedPayout.Amount > payout.Amount:
		return invalid("A comment cannot accept a greater payout.")
	case uint64(o.PercentHBD) > number(row, "percent_hbd"):
		return invalid("A comment cannot accept a greater percent HBD.")
	}
	patch := changed(row,
		"max_accepted_payout", o.MaxAcceptedPayout.String(), "percent_hbd", int(o.PercentHBD),
		"allow_votes", o.AllowVotes, "allow_curation_rewards", o.AllowCurationRewards)
	if len(o.Beneficiaries) > 0 {
		list, err := r.beneficiaries(row, o)
		if err != nil {
			return err
		}
		patch.Set("beneficiaries", list)
	}
	r.sec.Table(tableContent).Update(patch)
	return nil
}

func (r *run) beneficiaries(row state.Row, o *graphene.CommentOptions) ([]jsvalue.Value, error) {
	if have, _ := row.Array("beneficiaries"); len(have) > 0 {
		return nil, invalid("Comment already has beneficiaries specified.")
	}
	for range r.sec.Table(tableVotes).FindAll("vote", o.Author, o.Permlink) {
		return nil, invalid("Comment must not have been voted on before specifying beneficiaries.")
	}
	var list []jsvalue.Value
	for _, b := range o.Beneficiaries {
		if r.account(b.Account) == nil {
			return nil, invalid("Beneficiary %q must exist.", b.Account)
		}
		list = append(list, newRow("account", b.Account, "weight", int(b.Weight)))
	}
	return list, nil
}

func (r *run) vote(o *graphene.Vote) error {
	post := findContent(r.sec, o.Author, o.Permlink)
	if post == nil {
		return invalid("unknown comment @%s/%s", o.Author, o.Permlink)
	}
	if !flag(post, "allow_votes") {
		return invalid("Votes are not allowed on the comment.")
	}
	votes := r.sec.Table(tableVotes)
	old := votes.Find1("vote", o.Author, o.Permlink, o.Voter)
	switch {
	case old == nil && o.Weight == 0:
		return invalid("Vote weight cannot be 0.")
	case old == nil:
		votes.Insert(newRow("author", o.Author, "permlink", o.Permlink, "voter", o.Voter,
			"weight", int(o.Weight), "time", r.timestamp))
	case old.Get("weight") == float64(o.Weight):
		return invalid("Your current vote on this comment is identical to this vote.")
	default:
		votes.Update(changed(old, "weight", int(o.Weight), "time", r.timestamp))
	}
	return nil
}
