package nodetest

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/bitcoincash"
	"causeway/chains/devnet"
	"causeway/chains/dogecoin"
	"causeway/chains/litecoin"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"
)

// Btcd runs a btcd, whose blocks pay to the node's own miner (Generate, Pay).
func Btcd(t testing.TB) *Node {
	t.Helper()
	return start(t, btcd.path(t), spec{name: "btcd", newCoin: bitcoin.New, segwit: true, generates: true, command: btcsuite})
}

// Bchd runs a bchd.
func Bchd(t testing.TB) *Node {
	t.Helper()
	return start(t, bchd.path(t), spec{name: "bchd", newCoin: bitcoincash.New, generates: true, mines: bchdMines, command: btcsuite})
}

// btcsuite is the command line of btcd and what descends from it.
func btcsuite(path string, p place) *exec.Cmd {
	return exec.Command(path,
		"--configfile="+os.DevNull, "--regtest", "--notls", "--nodnsseed", "--txindex", "--addrindex",
		"--datadir="+filepath.Join(p.dir, "data"), "--logdir="+filepath.Join(p.dir, "log"),
		"--listen="+p.p2p, "--rpclisten="+p.rpc, "--rpcuser="+user, "--rpcpass="+p.password, "--miningaddr="+p.miner)
}

// Litecoind runs a litecoind as it is shipped: it refuses replacements. Without
// mweb its extension blocks never activate; with it they do at block 432, which
// must hold a payment into them (ActivateMWEB).
// More are further options of the command line.
func Litecoind(t testing.TB, mweb bool, more ...string) *Node {
	t.Helper()
	return start(t, litecoind.path(t), spec{
		name: "litecoind", newCoin: litecoin.New, segwit: true,
		command: func(path string, p place) *exec.Cmd {
			_, p2pPort, _ := net.SplitHostPort(p.p2p)
			_, rpcPort, _ := net.SplitHostPort(p.rpc)
			args := []string{
				"-datadir=" + p.dir, "-conf=" + filepath.Join(p.dir, "none.conf"), "-regtest", "-server", "-txindex", "-printtoconsole=0",
				"-bind=127.0.0.1", "-port=" + p2pPort, "-rpcbind=127.0.0.1", "-rpcport=" + rpcPort, "-rpcallowip=127.0.0.1",
				"-rpcuser=" + user, "-rpcpassword=" + p.password, "-fallbackfee=0.0002", "-keypool=5", "-listenonion=0", "-dnsseed=0", "-upnp=0",
				// It ends when no connection is open, or after so many seconds.
				"-rpcservertimeout=3",
			}
			if !mweb {
				args = append(args, "-vbparams=mweb:9223372036854775807:9223372036854775807")
			}
			_ = os.WriteFile(filepath.Join(p.dir, "none.conf"), nil, 0o600) // missing, it says so itself
			return exec.Command(path, append(args, more...)...)
		},
	})
}

// mwebActivation is the height at which a litecoind's regtest has extension
// blocks.
const mwebActivation = 432

// ActivateMWEB brings a litecoind to block 432, the first with an extension block,
// with two wallets of the node's own: outer, which blocks pay to (its address is
// mining), and inner, whose coins all lie in the extension block.
func (n *Node) ActivateMWEB() (outer, inner *rpcnode.Client, mining string) {
	n.t.Helper()
	outer, inner = n.Wallet("outer"), n.Wallet("inner")
	ask := func(wallet *rpcnode.Client, result any, method string, params ...any) {
		n.t.Helper()
		if err := wallet.Call(n.t.Context(), result, method, params...); err != nil {
			n.t.Fatal(err)
		}
	}
	ask(outer, &mining, "getnewaddress", "", "bech32")
	n.Call(nil, "generatetoaddress", mwebActivation-1-n.Height(), mining)
	var within string
	ask(inner, &within, "getnewaddress", "", "mweb")
	ask(outer, nil, "sendtoaddress", within, 30)
	n.Call(nil, "generatetoaddress", 1, mining)
	if height := n.Height(); height != mwebActivation {
		n.t.Fatalf("height %d", height)
	}
	return outer, inner, mining
}

// Wallet makes a wallet of a litecoind's own.
func (n *Node) Wallet(name string) *rpcnode.Client {
	n.t.Helper()
	n.Call(nil, "createwallet", name)
	client, err := rpcnode.NewClient(n.URL+"/wallet/"+name, callWait)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(client.Close)
	return client
}

// Dogenet runs the project's embedded Dogecoin chain as a process of its own. Its
// wallet has coins (sendtoaddress); Generate and Pay are those of every Node.
func Dogenet(t testing.TB) *Node {
	t.Helper()
	path := filepath.Join(t.TempDir(), "devnode")
	build := exec.Command("go", "build", "-o", path, "./internal/devnode")
	build.Dir = root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("devnode: %v\n%s", err, out)
	}
	return start(t, path, spec{
		name: "devnode", newCoin: dogecoin.New,
		command: func(path string, p place) *exec.Cmd {
			return exec.Command(path, "-coin", "doge", "-dir", filepath.Join(p.dir, "chain"), "-listen", p.rpc, "-user", user, "-password", p.password)
		},
	})
}

// Embedded runs an embedded chain (chains/devnet) in this process.
func Embedded(t testing.TB, params devnet.Params, newCoin func(chains.Network) (*utxo.Coin, error)) *Node {
	t.Helper()
	var chain *devnet.Chain
	n := start(t, "", spec{
		name: "embedded " + params.Name, newCoin: newCoin, segwit: params.SegWit,
		embed: func(p place) (_ io.Closer, err error) {
			chain, err = devnet.New(devnet.Config{Params: params, Dir: filepath.Join(p.dir, "chain"), Listen: p.rpc, User: user, Pass: p.password})
			return chain, err
		},
	})
	n.Embedded = func() *devnet.Chain { return chain }
	return n
}
