package comments

import (
	"fmt"
	"strings"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// comment takes in a post or a reply: once per authorperm, for each active
// pool that its tags or its parent name.
func (e *edition) comment(ctx contract.Context, payload *jsvalue.Object) {
	if !ctx.Assert(ctx.Sender() == nobody, "action must use comment operation") {
		return
	}
	e.maintain(ctx)
	pools := poolsOf(ctx, payload)
	authorperm := authorpermOf(payload.Get("author"), payload.Get("permlink"))
	metadata, posts := ctx.Table(metadataTable), ctx.Table(postTable)
	if metadata.Get(jsvalue.NewObject("authorperm", authorperm)) != nil || posts.Find1(byAuthorperm, authorperm) != nil {
		return // an edit
	}
	metadata.Insert(jsvalue.NewObject("authorperm", authorperm, "rewardPoolIds", pools))
	app, hasApp := appOf(payload)
	now := float64(ctx.Millis())
	for _, id := range pools {
		pool := findPool(ctx, id)
		if pool == nil || !jsvalue.Truthy(pool.Get("active")) {
			continue
		}
		post := jsvalue.NewObject(
			"rewardPoolId", id,
			"symbol", pool.Get("symbol"),
			"authorperm", authorperm,
			"author", payload.Get("author"),
			"created", now,
			"cashoutTime", now+number(object(pool, "config"), "cashoutWindowDays")*day,
			"votePositiveRshareSum", "0",
			"voteRshareSum", "0",
		)
		if hasApp {
			post.Set("app", app)
		}
		posts.Insert(post)
		ctx.Emit("newComment", jsvalue.NewObject("rewardPoolId", id, "symbol", pool.Get("symbol")))
	}
}

// appOf is the name of the application that a post was written with.
func appOf(payload *jsvalue.Object) (string, bool) {
	text, ok := contract.Text(object(payload, "jsonMetadata"), "app")
	name, _, _ := strings.Cut(text, "/")
	return contract.ToLower(name), ok
}

// poolsOf are the ids of the pools that a post belongs to: those of its
// parent, else those that its tags or its community name.
func poolsOf(ctx contract.Context, payload *jsvalue.Object) []jsvalue.Value {
	author, permlink := payload.Get("parentAuthor"), payload.Get("parentPermlink")
	if jsvalue.Truthy(author) && jsvalue.Truthy(permlink) {
		return poolsOfPost(ctx, authorpermOf(author, permlink))
	}
	tags, ok := object(payload, "jsonMetadata").Array("tags")
	if !ok || !isTexts(tags) {
		return []jsvalue.Value{}
	}
	wanted := make(map[string]bool, len(tags)+1)
	for _, tag := range tags {
		text, _ := tag.(string)
		wanted[text] = true
	}
	if text, ok := permlink.(string); ok && text != "" {
		wanted[text] = true
	}
	return poolsOfTags(ctx, wanted)
}

// poolsOfPost are the pools of a post that is there already, or was.
func poolsOfPost(ctx contract.Context, authorperm string) []jsvalue.Value {
	if row := ctx.Table(metadataTable).Get(jsvalue.NewObject("authorperm", authorperm)); row != nil {
		ids, _ := row.Array("rewardPoolIds")
		return ids
	}
	ids := []jsvalue.Value{}
	for _, post := range postsOf(ctx, authorperm) {
		ids = append(ids, post.Get("rewardPoolId"))
	}
	return ids
}

// postsOf are the posts of an authorperm, by _id: one in each pool.
func postsOf(ctx contract.Context, authorperm string) []state.Row {
	return ctx.Table(postTable).FindSome(pageSize, byAuthorperm, authorperm)
}

// poolsOfTags are the first pools that want one of the tags and exclude none.
func poolsOfTags(ctx contract.Context, wanted map[string]bool) []jsvalue.Value {
	ids := []jsvalue.Value{}
	most := int(number(params(ctx), "maxPoolsPerPost"))
	for pool := range ctx.Table(poolTable).All() {
		if len(ids) == most {
			break
		}
		config := object(pool, "config")
		if hasAny(config.Get("tags"), wanted) && !hasAny(config.Get("excludeTags"), wanted) {
			ids = append(ids, pool.Get("_id"))
		}
	}
	return ids
}

func hasAny(tags jsvalue.Value, wanted map[string]bool) bool {
	list, _ := tags.([]jsvalue.Value)
	for _, tag := range list {
		if text, ok := tag.(string); ok && wanted[text] {
			return true
		}
	}
	return false
}

// commentOptions notes whether a post declines its payout, and who shares the
// author's part.
func commentOptions(ctx contract.Context, payload *jsvalue.Object) {
	if !ctx.Assert(ctx.Sender() == nobody, "action must use commentOptions operation") {
		return
	}
	posts := postsOf(ctx, authorpermOf(payload.Get("author"), payload.Get("permlink")))
	declined := strings.HasPrefix(acceptedPayout(payload.Get("maxAcceptedPayout")), "0.000")
	for _, post := range posts {
		pool := findPool(ctx, post.Get("rewardPoolId"))
		if pool == nil {
			readsNull("config")
		}
		row := jsvalue.NewObject("_id", post.Get("_id"))
		if !jsvalue.Truthy(object(pool, "config").Get("ignoreDeclinePayout")) {
			row.Set("declinePayout", declined)
		}
		row.Set("beneficiaries", payload.Get("beneficiaries"))
		ctx.Table(postTable).Update(row)
	}
}

// acceptedPayout raises what JavaScript raises at startsWith of no text.
func acceptedPayout(v jsvalue.Value) string {
	switch text := v.(type) {
	case string:
		return text
	case nil, jsvalue.Undefined:
		panic(contract.Exception(fmt.Sprintf(
			"TypeError: Cannot read properties of %s (reading 'startsWith')", jsvalue.ToString(v))))
	}
	panic(contract.Exception("TypeError: maxAcceptedPayout.startsWith is not a function"))
}
