package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"filippo.io/age"

	"causeway/hotwallet"
)

// A backup is an age file (scrypt recipient: the passphrase) of a tar archive:
// first backupManifest as manifestName, then the files that it names, in its
// order. Age authenticates every chunk, so that nothing of it can be cut off or
// changed; the sums in the manifest say that what was read is what was written.
const (
	backupFormat = "causeway-backup/1"
	manifestName = "manifest.json"
	// maxBackupWork is the greatest scrypt work factor that is tried.
	maxBackupWork = 22
)

// backupManifest says what is in a backup.
type backupManifest struct {
	Format      string       `json:"format"`
	Version     string       `json:"version"` // of the program
	Created     string       `json:"created"` // RFC 3339
	ChainID     string       `json:"chain_id"`
	BaseChainID string       `json:"base_chain_id"`
	Stores      storeSummary `json:"stores"`
	Files       []backupPart `json:"files"`
}

// backupPart is one file of a backup.
type backupPart struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// The files of a backup. Stores that can be derived again are not among them.
var (
	backupMust = []string{genesisFile, configFile, keysFile, gatewayFile, signerFile, baseFile}
	backupMay  = []string{adminFile}
)

// errBackup is wrapped when a file is no whole backup.
var errBackup = errors.New("not a whole backup")

// sumFiles makes the list of files of a directory, with their sums.
func sumFiles(dir home, names []string) (list []backupPart, err error) {
	for _, name := range names {
		file, err := os.Open(dir.path(name))
		if err != nil {
			return nil, err
		}
		sum := sha256.New()
		size, err := io.Copy(sum, file)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
		list = append(list, backupPart{name, size, hex.EncodeToString(sum.Sum(nil))})
	}
	return list, nil
}

// writeBackup encrypts the files of a directory.
func writeBackup(out io.Writer, m backupManifest, dir home, secret hotwallet.Secret, workFactor int) error {
	recipient, err := age.NewScryptRecipient(secret.Reveal())
	if err != nil {
		return err
	}
	recipient.SetWorkFactor(workFactor)
	sealed, err := age.Encrypt(out, recipient)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(sealed)
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := addFile(archive, manifestName, int64(len(text)), bytes.NewReader(text)); err != nil {
		return err
	}
	for _, part := range m.Files {
		file, err := os.Open(dir.path(part.Name))
		if err != nil {
			return err
		}
		if err := errors.Join(addFile(archive, part.Name, part.Size, file), file.Close()); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), sealed.Close())
}

func addFile(archive *tar.Writer, name string, size int64, content io.Reader) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.Copy(archive, content)
	return err
}

// readBackup decrypts a backup into an empty directory and holds every file
// against its sum. It fails with errBackup, or with hotwallet.ErrPassphrase.
func readBackup(in io.Reader, into home, secret hotwallet.Secret) (m backupManifest, err error) {
	identity, err := age.NewScryptIdentity(secret.Reveal())
	if err != nil {
		return m, err
	}
	identity.SetMaxWorkFactor(maxBackupWork)
	plain, err := age.Decrypt(in, identity)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return m, hotwallet.ErrPassphrase
	}
	if err != nil {
		return m, fmt.Errorf("%w: %w", errBackup, err)
	}
	archive := tar.NewReader(plain)
	if m, err = readManifest(archive); err != nil {
		return m, err
	}
	for _, part := range m.Files {
		if err := readPart(archive, part, into); err != nil {
			return m, err
		}
	}
	if _, err := archive.Next(); !errors.Is(err, io.EOF) {
		return m, fmt.Errorf("%w: more follows the last file", errBackup)
	}
	// The end of the archive is not the end of what age authenticates.
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return m, fmt.Errorf("%w: %w", errBackup, err)
	}
	return m, nil
}

func readManifest(archive *tar.Reader) (m backupManifest, err error) {
	header, err := archive.Next()
	if err != nil || header.Name != manifestName {
		return m, fmt.Errorf("%w: it does not begin with %s", errBackup, manifestName)
	}
	if err := json.NewDecoder(io.LimitReader(archive, 1<<20)).Decode(&m); err != nil {
		return m, fmt.Errorf("%w: %s: %w", errBackup, manifestName, err)
	}
	if m.Format != backupFormat {
		return m, fmt.Errorf("%w: its format is %q, this program knows %s", errBackup, m.Format, backupFormat)
	}
	var missing []string
	for _, name := range backupMust {
		if !slices.ContainsFunc(m.Files, func(p backupPart) bool { return p.Name == name }) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return m, fmt.Errorf("%w: it lacks %v", errBackup, missing)
	}
	return m, nil
}

func readPart(archive *tar.Reader, part backupPart, into home) error {
	if !slices.Contains(backupMust, part.Name) && !slices.Contains(backupMay, part.Name) {
		return fmt.Errorf("%w: file %q has no place in a home", errBackup, part.Name)
	}
	header, err := archive.Next()
	if err != nil || header.Name != part.Name || header.Size != part.Size || header.Typeflag != tar.TypeReg {
		return fmt.Errorf("%w: %s is not where it should be", errBackup, part.Name)
	}
	file, err := os.OpenFile(into.path(part.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(file, sum), archive)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("%w: %s: %w", errBackup, part.Name, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != part.SHA256 {
		return fmt.Errorf("%w: %s has another sum", errBackup, part.Name)
	}
	return nil
}
