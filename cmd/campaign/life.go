package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"causeway/chains/chaintest"
	"causeway/chains/devnet"
	"causeway/sidechain/graphene"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// life is a gateway's, from its first start to its rest: the world around it, the
// process it runs in at the moment, and what its users did.
type life struct {
	options
	*network
	seed  uint64
	rng   *rand.Rand
	sim   *chaintest.Sim
	urls  []string // of the chain's nodes
	free  bool     // the process runs by itself, not step by step
	hurry bool     // too much is sent to look at each of it
	depth uint64   // at which deposits are credited; 0: creditDepth
	home  string
	proc  *process
	api   *client
	old   []byte // an older gateway.db
	close []func()

	trap    trap // that the process has
	address map[string]string
	burns   []*burn
	counts  map[string]int
	steps   int

	mu     sync.Mutex
	sent   []*wire.MsgTx
	known  map[chainhash.Hash]bool // of sent
	faults []string
}

// burn is a withdrawal that a user asked for.
type burn struct {
	tx       *graphene.SignedTransaction
	part     string // which call of the transaction, when it has several
	account  string
	script   string // hex
	quantity int64
	burned   bool // the sidechain took it
	refused  bool
}

// id is the burn's id on the sidechain.
func (b *burn) id() string {
	if b.part != "" {
		return b.tx.ID() + "-" + b.part
	}
	return b.tx.ID()
}

// errGiveUp ends a life: what it is about was said already.
var errGiveUp = errors.New("the life cannot go on")

// newLife makes the world of a seed.
func newLife(o options, seed uint64, nodes, coins int) (*life, error) {
	l := &life{
		options: o, seed: seed, rng: rand.New(rand.NewPCG(seed, 4)), address: map[string]string{}, counts: map[string]int{},
		known: map[chainhash.Hash]bool{},
		api:   &client{http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}},
	}
	var err error
	if l.network, err = newNetwork(); err != nil {
		return nil, err
	}
	if l.sim, err = chaintest.New(chaintest.Config{Params: devnet.Bitcoin(), Nodes: nodes, Seed: seed, Coins: coins}); err != nil {
		return nil, err
	}
	l.sim.OnBroadcast(l.sending)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: l.sim.Handler(), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	l.close = append(l.close, func() { _ = server.Close() })
	for i := range nodes {
		l.urls = append(l.urls, fmt.Sprintf("http://%s/%d", listener.Addr(), i))
	}
	if l.home, err = os.MkdirTemp(memory(), "causeway-campaign-"); err != nil {
		return nil, err
	}
	return l, nil
}

// memory is a directory that is held in memory, where there is one.
func memory() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// end ends the process and removes what is left, but for the home of a life that
// failed when there is a log of it.
func (l *life) end() {
	if l.proc != nil && l.proc.alive() {
		l.proc.kill()
	}
	for _, c := range l.close {
		c()
	}
	if len(l.faults) == 0 || !logged() {
		_ = os.RemoveAll(l.home)
	}
	l.api.http.CloseIdleConnections()
}

func logged() bool { return os.Getenv("CAUSEWAY_CAMPAIGN_LOG") != "" }

func (l *life) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

func (l *life) say(format string, args ...any) {
	if logged() {
		fmt.Fprintf(l.log, "seed %d: %s\n", l.seed, fmt.Sprintf(format, args...))
	}
}

// boot starts the process on the home, with a trap. One that springs while it
// starts is followed by a start without.
func (l *life) boot(t trap) error {
	for range 3 {
		l.trap = t
		p, err := startProcess(childConfig{Home: l.home, Nodes: l.urls, Off: l.off, Trap: t, Depth: l.depth, Large: l.hurry, Log: logged()})
		l.proc = p
		if err == nil {
			l.mu.Lock()
			l.api.url = p.url
			l.mu.Unlock()
			l.counts["starts"]++
			if l.free {
				return l.api.post("/campaign/run", nil, nil)
			}
			return nil
		}
		if !errors.Is(err, errEnded) {
			return err
		}
		if !l.expected() {
			return errGiveUp
		}
		t = trap{}
	}
	l.fault("the process does not start")
	return errGiveUp
}

// expected says whether the end of the process was meant; if not it is a fault.
func (l *life) expected() bool {
	p := l.proc
	<-p.ended
	code := p.exit()
	switch {
	case p.died != "":
		l.counts["died at "+p.died]++
		l.say("died at %s", p.died)
		if code == exitDied || code == exitFailed && p.died == "C23" || code == -1 {
			return true
		}
	case code == -1:
		l.counts["killed"]++
		return true
	}
	l.fault("the process ended with %d: %s", code, lastLine(p.stderr.String()))
	return false
}

func lastLine(text string) string {
	lines := strings.Split(text, "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "campaign child:") {
			return line
		}
	}
	return lines[len(lines)-1]
}

// alive starts the process again when it has ended.
func (l *life) alive() error {
	if l.proc != nil && l.proc.alive() {
		return nil
	}
	if l.proc != nil && !l.expected() {
		return errGiveUp
	}
	t := trap{}
	if l.rng.IntN(3) == 0 {
		t = l.newTrap()
	}
	if err := l.boot(t); err != nil {
		return err
	}
	return l.resend()
}

// step gives a process that does not run by itself its turns.
func (l *life) step(n int) error {
	if err := l.alive(); err != nil {
		return err
	}
	if l.free {
		time.Sleep(time.Duration(n) * 3 * time.Millisecond)
		return nil
	}
	err := l.api.post(fmt.Sprintf("/campaign/step?n=%d", n), nil, nil)
	l.steps += n
	if err == nil {
		return nil
	}
	if !l.proc.waitEnd(10 * time.Second) {
		l.fault("a step failed and the process goes on: %v", err)
		return errGiveUp
	}
	return l.alive()
}

// ask makes a request of the process, again if it ended meanwhile.
func (l *life) ask(request func() error) error {
	for range 5 {
		if err := l.alive(); err != nil {
			return err
		}
		err := request()
		if err == nil || errors.Is(err, errRefused) {
			return err
		}
		if !l.proc.waitEnd(time.Second) {
			return err
		}
	}
	return errors.New("the process ends again and again")
}

// addresses asks where the users pay in.
func (l *life) addresses() error {
	for _, user := range users {
		var answer struct {
			Address string `json:"address"`
		}
		err := l.ask(func() error {
			return l.api.post("/v1/deposit-addresses", map[string]string{"chain": "btc", "account": user}, &answer)
		})
		if err != nil {
			return err
		}
		l.address[user] = answer.Address
	}
	return nil
}

// withdraw burns some of a user's tokens, if he has them.
func (l *life) withdraw(user string) error {
	var rows []balanceRow
	err := l.ask(func() (err error) {
		rows, err = rowsOf[balanceRow](l.api, "tokens", "balances", map[string]string{"symbol": pegSymbol, "account": user})
		return err
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	have, err := unitsOf(rows[0].Balance)
	if err != nil || have < 2*minimumUnits {
		return err
	}
	quantity := minimumUnits + feeUnits + l.rng.Int64N(have-minimumUnits-feeUnits+1)
	address := l.payee()
	script, err := l.sim.Script(address)
	if err != nil {
		return err
	}
	b := &burn{account: user, script: hex.EncodeToString(script), quantity: quantity}
	err = l.ask(func() (err error) {
		b.tx, err = l.api.call(l.baseID, user, contractCall{"pegs", "withdraw", map[string]string{
			"symbol": pegSymbol, "quantity": coins(quantity), "address": address,
		}})
		return err
	})
	if err != nil {
		return err
	}
	l.burns = append(l.burns, b)
	l.counts["burns"]++
	l.say("%s withdraws %d", user, quantity)
	return l.resend()
}

// payee is an address of nobody, in one of the forms that can be paid.
func (l *life) payee() string {
	hash := make([]byte, 32)
	for i := range hash {
		hash[i] = byte(l.rng.UintN(256))
	}
	codec := devnet.Bitcoin().Addresses
	switch l.rng.IntN(4) {
	case 0:
		return codec.Encode(append(append([]byte{0x76, 0xa9, 20}, hash[:20]...), 0x88, 0xac))
	case 1:
		return codec.Encode(append(append([]byte{0xa9, 20}, hash[:20]...), 0x87))
	case 2:
		return codec.Encode(append([]byte{0, 20}, hash[:20]...))
	}
	return codec.Encode(append([]byte{0, 32}, hash...))
}

// resend hands in the burns that no block holds: a process that ended has
// forgotten them.
func (l *life) resend() error {
	for _, b := range l.burns {
		if b.burned || b.refused {
			continue
		}
		// Whatever is said about it, the blocks decide.
		err := l.ask(func() error { return l.api.send(b.tx) })
		if err != nil && !errors.Is(err, errRefused) {
			return err
		}
	}
	return nil
}

// receipts looks up what became of the burns.
func (l *life) receipts() (open int, err error) {
	for _, b := range l.burns {
		if b.burned || b.refused {
			continue
		}
		var r *receipt
		err := l.ask(func() error {
			return l.api.rpc("/blockchain", "getTransactionInfo", map[string]string{"txid": b.tx.ID()}, &r)
		})
		if err != nil {
			return 0, err
		}
		if r == nil {
			open++
			continue
		}
		var logs struct {
			Errors []string `json:"errors"`
		}
		if err := json.Unmarshal([]byte(r.Logs), &logs); err != nil {
			return 0, err
		}
		b.refused = len(logs.Errors) > 0
		b.burned = !b.refused
	}
	return open, nil
}

// sending is told of every transaction that a node is asked to send, before the
// node has it: what it spends must be assigned to it, and its bytes in the ledger.
func (l *life) sending(_ int, tx *wire.MsgTx) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := tx.TxHash()
	if l.known[id] {
		return
	}
	l.known[id] = true
	l.sent = append(l.sent, tx)
	if l.api.url == "" || l.hurry {
		return
	}
	spends := map[string]bool{}
	for _, in := range tx.TxIn {
		spends[in.PreviousOutPoint.String()] = true
	}
	var row assignRow
	rows, err := rowsOf[assignRow](l.api, "pegs", "assigns", struct{}{})
	if err != nil {
		return // it was killed just now
	}
	for _, r := range rows {
		if len(r.Spends) == len(spends) && spends[r.Spends[0]] {
			row = r
		}
	}
	if row.Batch == "" {
		l.faults = append(l.faults, fmt.Sprintf("transaction %s was sent, and its inputs are assigned to nothing", id))
		return
	}
	if len(row.IDs) == 0 {
		return
	}
	var w withdrawalItem
	if err := l.api.get("/v1/withdrawals/"+row.IDs[0], &w); err != nil {
		return
	}
	for _, v := range append(w.Variants, w.TxID) {
		if v == id.String() {
			return
		}
	}
	l.faults = append(l.faults, fmt.Sprintf("transaction %s was sent, and the ledger does not know it (%s, %v)", id, w.State, w.Variants))
}

// second starts another process on the same home: it must be refused at once.
func (l *life) second() error {
	if err := l.alive(); err != nil {
		return err
	}
	p, err := startProcess(childConfig{Home: l.home, Nodes: l.urls, Off: l.off, Depth: l.depth, Large: l.hurry, Log: logged()})
	if err == nil {
		p.kill()
		if !l.proc.alive() { // the first had ended: this one was the first again
			return nil
		}
		l.fault("a second process started on the same home")
		return errGiveUp
	}
	if !errors.Is(err, errEnded) {
		return err
	}
	if l.proc.alive() && p.exit() != exitRefused {
		l.fault("a second process on the same home ended with %d: %s", p.exit(), lastLine(p.stderr.String()))
	}
	l.counts["second processes"]++
	return nil
}

// stop ends the process as an operator does.
func (l *life) stop() error {
	if err := l.alive(); err != nil {
		return err
	}
	err := l.api.post("/campaign/stop", nil, nil)
	if !l.proc.waitEnd(20 * time.Second) {
		l.fault("the process does not stop: %v", err)
		return errGiveUp
	}
	if code := l.proc.exit(); code != exitOK && l.proc.died == "" {
		l.fault("the process stopped with %d: %s", code, lastLine(l.proc.stderr.String()))
		return errGiveUp
	}
	l.counts["stops"]++
	l.proc = nil
	return nil
}

// restore puts an older gateway.db into the stopped home, or keeps this one for
// the next time.
func (l *life) restore() error {
	if err := l.stop(); err != nil {
		return err
	}
	path := filepath.Join(l.home, "gateway.db")
	if l.old != nil && l.rng.IntN(2) == 0 {
		l.counts["older ledgers"]++
		l.say("an older ledger")
		if err := os.WriteFile(path, l.old, 0o600); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	l.old = text
	return nil
}

// quiet says what is still under way, nothing when all is at rest.
func (l *life) quiet() (reason string, err error) {
	open, err := l.receipts()
	if err != nil || open > 0 {
		return fmt.Sprintf("%d burns are in no block", open), errors.Join(err, l.resend())
	}
	err = l.ask(func() (err error) {
		reason, err = l.unrest()
		return err
	})
	return reason, err
}

func (l *life) unrest() (string, error) {
	var status statusAnswer
	if err := l.api.get("/v1/status", &status); err != nil {
		return "", err
	}
	if len(status.Chains) != 1 || status.Chains[0].Reason != "" || status.Chains[0].Height != l.sim.Best().Height {
		return fmt.Sprintf("the chain is %+v, its newest block %d", status.Chains, l.sim.Best().Height), nil
	}
	deposits, err := pages[depositItem](l.api, "/v1/deposits")
	if err != nil {
		return "", err
	}
	for _, d := range deposits {
		switch d.State {
		case "credited", "below_minimum", "held", "gone":
		default:
			return fmt.Sprintf("deposit %s is %s: %s %s", d.ID, d.State, d.Reason, d.Detail), nil
		}
	}
	withdrawals, err := pages[withdrawalItem](l.api, "/v1/withdrawals")
	if err != nil {
		return "", err
	}
	burned := 0
	for _, b := range l.burns {
		if b.burned {
			burned++
		}
	}
	if len(withdrawals) != burned {
		return fmt.Sprintf("%d of %d burns are known", len(withdrawals), burned), nil
	}
	for _, w := range withdrawals {
		if w.State != "settled" || w.Confirms < creditDepth {
			return fmt.Sprintf("withdrawal %s is %s, %d deep: %s %s", w.ID, w.State, w.Confirms, w.Reason, w.Detail), nil
		}
	}
	return "", nil
}

// settle lets the world be kind until all is at rest.
func (l *life) settle() error {
	for i := range l.sim.Nodes() {
		l.sim.Node(i).Heal()
		l.sim.Node(i).Delay(0)
		l.sim.Node(i).Cut(false)
		l.sim.Node(i).Release()
	}
	if err := l.disarm(); err != nil {
		return err
	}
	deadline := time.Now().Add(time.Minute)
	reason := ""
	for i := 0; i < 80 || l.free && time.Now().Before(deadline); i++ {
		if err := l.sim.Mine(1); err != nil {
			return err
		}
		if err := l.step(4); err != nil {
			return err
		}
		var err error
		if reason, err = l.quiet(); err != nil {
			return err
		}
		if reason == "" {
			return nil
		}
	}
	l.fault("never at rest: %s", reason)
	return errGiveUp
}

// disarm takes the trap away.
func (l *life) disarm() error {
	l.trap = trap{}
	return l.ask(func() error { return l.api.post("/campaign/trap", trap{}, nil) })
}
