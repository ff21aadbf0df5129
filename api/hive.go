package api

import (
	"net/http"
	"time"

	"causeway/sidechain/base"
	"causeway/sidechain/base/solo"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

const (
	maxHiveBody       = 1 << 20
	maxAccountLookups = 1000
	maxHiveRange      = 1000
	hiveVersion       = "1.27.11" // the hived whose interface this is
)

// hiveHandler serves POST /hive: the part of hived's JSON-RPC that signing
// clients use.
func (s *Server) hiveHandler() http.Handler {
	methods := map[string]method{}
	for name, m := range map[string]method{
		"get_dynamic_global_properties":     s.hiveProperties,
		"get_config":                        s.hiveConfig,
		"get_version":                       s.hiveGetVersion,
		"get_accounts":                      s.hiveGetAccounts,
		"lookup_accounts":                   s.hiveLookupAccounts,
		"get_block":                         s.condenserGetBlock,
		"get_transaction":                   s.hiveGetTransaction,
		"broadcast_transaction":             s.hiveBroadcast,
		"broadcast_transaction_synchronous": s.hiveBroadcastSynchronous,
		"get_content":                       s.hiveGetContent,
		"get_active_votes":                  s.hiveGetActiveVotes,
	} {
		methods["condenser_api."+name] = m
	}
	for name, m := range map[string]method{
		"database_api.find_accounts":                  s.hiveFindAccounts,
		"database_api.get_config":                     s.hiveConfig,
		"database_api.get_version":                    s.hiveGetVersion,
		"database_api.get_dynamic_global_properties":  s.appbaseProperties,
		"block_api.get_block":                         s.blockAPIGetBlock,
		"block_api.get_block_range":                   s.blockAPIGetRange,
		"network_broadcast_api.broadcast_transaction": s.hiveBroadcast,
		"account_by_key_api.get_key_references":       s.hiveKeyReferences,
		"rc_api.find_rc_accounts":                     s.hiveRCAccounts,
		"transaction_status_api.find_transaction":     s.hiveFindTransaction,
	} {
		methods[name] = m
	}
	return &rpcHandler{
		methods: methods, maxBody: maxHiveBody, log: s.log, unknown: hiveUnknown(methods),
		rewrite: func(name string, params jsvalue.Value) (string, jsvalue.Value) {
			return unwrapCall(methods, name, params)
		},
	}
}

// unwrapCall undoes the envelope {"method":"call","params":[api, method, params]}.
func unwrapCall(methods map[string]method, name string, params jsvalue.Value) (string, jsvalue.Value) {
	list, ok := params.([]jsvalue.Value)
	if name != "call" || !ok || len(list) < 2 {
		return name, params
	}
	api, okAPI := list[0].(string)
	inner, okMethod := list[1].(string)
	if !okAPI || !okMethod {
		return name, params
	}
	params = []jsvalue.Value{}
	if len(list) > 2 {
		params = list[2]
	}
	// The oldest clients speak of these and mean the condenser's arrays.
	if _, array := params.([]jsvalue.Value); array && (api == "database_api" || api == "network_broadcast_api") {
		if _, known := methods["condenser_api."+inner]; known {
			api = "condenser_api"
		}
	}
	return api + "." + inner, params
}

// argument is a parameter by position or by name.
func argument(params jsvalue.Value, index int, name string) jsvalue.Value {
	switch p := params.(type) {
	case []jsvalue.Value:
		if index < len(p) {
			return p[index]
		}
	case *jsvalue.Object:
		return p.Get(name)
	}
	return jsvalue.Undefined{}
}

func (s *Server) properties(appbase bool) *jsvalue.Object {
	p := s.base.Properties()
	amount := func(a graphene.Asset) jsvalue.Value {
		if !appbase {
			return a.String()
		}
		return jsvalue.NewObject("amount", jsvalue.NumberText(float64(a.Amount)), "precision", float64(a.Precision), "nai", "@@000000021")
	}
	return jsvalue.NewObject(
		"id", 0.0,
		"head_block_number", float64(p.HeadBlockNumber),
		"head_block_id", p.HeadBlockID,
		"time", p.Time,
		"current_witness", p.Witness,
		"current_supply", amount(p.Supply),
		"virtual_supply", amount(p.Supply),
		"last_irreversible_block_num", float64(p.LastIrreversible),
		"maximum_block_size", 2097152.0,
	)
}

func (s *Server) hiveProperties(*http.Request, jsvalue.Value) (jsvalue.Value, error) {
	return s.properties(false), nil
}

func (s *Server) appbaseProperties(*http.Request, jsvalue.Value) (jsvalue.Value, error) {
	return s.properties(true), nil
}

func (s *Server) hiveConfig(*http.Request, jsvalue.Value) (jsvalue.Value, error) {
	return jsvalue.NewObject(
		"HIVE_CHAIN_ID", s.baseChainID,
		"STEEM_CHAIN_ID", s.baseChainID,
		"HIVE_ADDRESS_PREFIX", graphene.DefaultPrefix,
		"STEEM_ADDRESS_PREFIX", graphene.DefaultPrefix,
		"HIVE_MAX_TIME_UNTIL_EXPIRATION", 3600.0,
		"HIVE_MAX_BLOCK_SIZE", 2097152.0,
		"HIVE_BLOCKCHAIN_VERSION", hiveVersion,
	), nil
}

func (s *Server) hiveGetVersion(*http.Request, jsvalue.Value) (jsvalue.Value, error) {
	return jsvalue.NewObject("blockchain_version", hiveVersion, "hive_revision", s.version, "fc_revision", s.version, "chain_id", s.baseChainID), nil
}

// names reads a list of account names.
func names(v jsvalue.Value) ([]string, error) {
	list, ok := v.([]jsvalue.Value)
	if !ok || len(list) > maxAccountLookups {
		return nil, hiveInvalid("a list of at most 1000 account names is expected")
	}
	var out []string
	for _, item := range list {
		name, ok := item.(string)
		if !ok {
			return nil, hiveInvalid("an account name is a string")
		}
		out = append(out, name)
	}
	return out, nil
}

func (s *Server) accounts(v jsvalue.Value) ([]jsvalue.Value, error) {
	list, err := names(v)
	if err != nil {
		return nil, err
	}
	found := []jsvalue.Value{}
	for _, name := range list {
		if account, ok := s.base.Account(name); ok {
			found = append(found, account)
		}
	}
	return found, nil
}

func (s *Server) hiveGetAccounts(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	return s.accounts(argument(params, 0, "accounts"))
}

func (s *Server) hiveFindAccounts(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	found, err := s.accounts(argument(params, 0, "accounts"))
	if err != nil {
		return nil, err
	}
	return jsvalue.NewObject("accounts", found), nil
}

func (s *Server) hiveLookupAccounts(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	from, okFrom := argument(params, 0, "lower_bound_name").(string)
	limit, okLimit := wholeNumber(argument(params, 1, "limit"))
	if !okFrom || !okLimit || limit > maxAccountLookups {
		return nil, hiveInvalid("a name and a limit of at most 1000 are expected")
	}
	list := []jsvalue.Value{}
	for _, name := range s.base.AccountNames(from, int(limit)) {
		list = append(list, name)
	}
	return list, nil
}

// block is one base block; nil when there is none.
func (s *Server) block(number uint64, form graphene.Form) (rawJSON, error) {
	b, ok, err := s.base.Block(number)
	if err != nil || !ok {
		return nil, err
	}
	text, err := s.base.Machine().BlockJSON(b, form)
	return rawJSON(text), err
}

func (s *Server) condenserGetBlock(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	n, ok := wholeNumber(argument(params, 0, "block_num"))
	if !ok {
		return nil, hiveInvalid("a block number is expected")
	}
	block, err := s.block(n, graphene.Legacy)
	if err != nil || block == nil {
		return nil, err
	}
	return block, nil
}

func (s *Server) blockAPIGetBlock(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	n, ok := wholeNumber(argument(params, 0, "block_num"))
	if !ok {
		return nil, hiveInvalid("a block number is expected")
	}
	block, err := s.block(n, graphene.Appbase)
	if err != nil || block == nil {
		return jsvalue.NewObject(), err
	}
	return append(append(rawJSON(`{"block":`), block...), '}'), nil
}

func (s *Server) blockAPIGetRange(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	start, okStart := wholeNumber(argument(params, 0, "starting_block_num"))
	count, okCount := wholeNumber(argument(params, 1, "count"))
	if !okStart || !okCount || count > maxHiveRange {
		return nil, hiveInvalid("a first block and a count of at most 1000 are expected")
	}
	blocks, err := blockList(start, count, func(n uint64) (rawJSON, error) { return s.block(n, graphene.Appbase) })
	if err != nil {
		return nil, err
	}
	return append(append(rawJSON(`{"blocks":`), blocks...), '}'), nil
}

func (s *Server) hiveGetTransaction(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	id, ok := argument(params, 0, "trx_id").(string)
	if !ok {
		return nil, hiveInvalid("a transaction id is expected")
	}
	b, index, ok, err := s.base.Transaction(id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &rpcError{code: codeAssert, message: "Assert Exception:false: Unknown Transaction " + clip(id)}
	}
	text, err := solo.TransactionJSON(b, index, graphene.Legacy)
	return rawJSON(text), err
}

func (s *Server) hiveFindTransaction(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	id, ok := argument(params, 0, "transaction_id").(string)
	if !ok {
		return nil, hiveInvalid("a transaction id is expected")
	}
	b, _, ok, err := s.base.Transaction(id)
	switch {
	case err != nil:
		return nil, err
	case ok:
		return jsvalue.NewObject("status", "within_irreversible_block", "block_num", float64(b.Number)), nil
	default:
		return jsvalue.NewObject("status", "unknown"), nil
	}
}

// hiveBroadcast answers when the transaction waits for its block, in memory alone:
// see the package's doc.
func (s *Server) hiveBroadcast(r *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	tx, err := signedTransaction(params)
	if err != nil {
		return nil, err
	}
	if err := s.base.Broadcast(r.Context(), tx); err != nil {
		return nil, refusal(err)
	}
	return jsvalue.NewObject(), nil
}

func (s *Server) hiveBroadcastSynchronous(r *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	tx, err := signedTransaction(params)
	if err != nil {
		return nil, err
	}
	receipt, err := s.base.BroadcastSynchronous(r.Context(), tx)
	if err != nil {
		return nil, refusal(err)
	}
	return jsvalue.NewObject("id", receipt.ID, "block_num", float64(receipt.Block), "trx_num", float64(receipt.Index), "expired", receipt.Expired), nil
}

// post reads the author and permlink of a request.
func post(params jsvalue.Value) (author, permlink string, err error) {
	author, okAuthor := argument(params, 0, "author").(string)
	permlink, okPermlink := argument(params, 1, "permlink").(string)
	if !okAuthor || !okPermlink {
		return "", "", hiveInvalid("an author and a permlink are expected")
	}
	return author, permlink, nil
}

func (s *Server) hiveGetContent(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	author, permlink, err := post(params)
	if err != nil {
		return nil, err
	}
	content, ok, err := s.base.Content(author, permlink)
	if err != nil {
		return nil, err
	}
	if !ok { // hived answers an empty post
		return jsvalue.NewObject("id", 0.0, "author", "", "permlink", "", "body", ""), nil
	}
	return content, nil
}

func (s *Server) hiveGetActiveVotes(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	author, permlink, err := post(params)
	if err != nil {
		return nil, err
	}
	list := []jsvalue.Value{}
	for _, vote := range s.base.Votes(author, permlink) {
		list = append(list, vote)
	}
	return list, nil
}

func (s *Server) hiveKeyReferences(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	keys, err := names(argument(params, 0, "keys"))
	if err != nil {
		return nil, err
	}
	lists := []jsvalue.Value{}
	for _, key := range keys {
		list := []jsvalue.Value{}
		for _, name := range s.base.AccountsByKey(key) {
			list = append(list, name)
		}
		lists = append(lists, list)
	}
	return jsvalue.NewObject("accounts", lists), nil
}

// hiveRCAccounts answers that everybody has resource credits: this layer
// limits transactions per account and block instead.
func (s *Server) hiveRCAccounts(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	list, err := names(argument(params, 0, "accounts"))
	if err != nil {
		return nil, err
	}
	const plenty = "1000000000000"
	now, err := time.Parse(base.TimeLayout, s.base.Properties().Time)
	if err != nil {
		return nil, err
	}
	found := []jsvalue.Value{}
	for _, name := range list {
		if _, ok := s.base.Account(name); ok {
			found = append(found, jsvalue.NewObject("account", name,
				"rc_manabar", jsvalue.NewObject("current_mana", plenty, "last_update_time", float64(now.Unix())),
				"max_rc_creation_adjustment", jsvalue.NewObject("amount", "0", "precision", 6.0, "nai", "@@000000037"),
				"max_rc", plenty))
		}
	}
	return jsvalue.NewObject("rc_accounts", found), nil
}

// clip keeps what a stranger sent short in errors.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
