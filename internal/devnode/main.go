package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"causeway/chains/devnet"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "devnode:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	flavours := map[string]func() devnet.Params{
		"btc": devnet.Bitcoin, "ltc": devnet.Litecoin, "bch": devnet.BitcoinCash, "doge": devnet.Dogecoin,
	}
	coin := flag.String("coin", "doge", "btc, ltc, bch or doge")
	var cfg devnet.Config
	flag.StringVar(&cfg.Dir, "dir", "", "folder of the chain (default: a temporary one)")
	flag.StringVar(&cfg.Listen, "listen", "", "loopback host:port (default: a free port)")
	flag.StringVar(&cfg.User, "user", "", "of the RPC")
	flag.StringVar(&cfg.Pass, "password", "", "of the RPC")
	flag.Parse()
	params, ok := flavours[*coin]
	if !ok {
		return fmt.Errorf("no coin %q", *coin)
	}
	cfg.Params = params()
	chain, err := devnet.New(cfg)
	if err != nil {
		return err
	}
	fmt.Println(chain.URL())
	<-ctx.Done()
	return chain.Close()
}
