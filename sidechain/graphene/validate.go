package graphene

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// Limits of hived's protocol.
const (
	MaxMemo          = 2048  // bytes, exclusive
	MaxPermlink      = 256   // bytes, exclusive
	MaxTitle         = 256   // bytes, exclusive
	MaxCustomID      = 32    // bytes
	MaxCustomJSON    = 8192  // bytes
	MaxBeneficiaries = 127   // entries
	FullWeight       = 10000 // 100 % of a vote or a share
)

// ErrTooLong is wrapped, beside ErrOperation, by errors about sizes.
var ErrTooLong = errors.New("size limit exceeded")

// fits gives an ErrTooLong unless holds.
func fits(holds bool, format string, args ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf("%w: %w: %s", ErrOperation, ErrTooLong, fmt.Sprintf(format, args...))
}

// rule gives an ErrOperation unless holds.
func rule(holds bool, format string, args ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrOperation, fmt.Sprintf(format, args...))
}

// firstError is the first of the rules that does not hold.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func validName(name string) error {
	return rule(ValidAccountName(name), "Account name %s is invalid", clip(name))
}

func validText(field, s string) error {
	return rule(utf8.ValidString(s), "%s is not UTF-8", field)
}

// validPermlink is hived's: a-z, 0-9 and -, shorter than 256 bytes.
func validPermlink(s string) error {
	if len(s) == 0 || len(s) >= MaxPermlink {
		return rule(false, "Permlink is not a valid size.")
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return rule(false, "Invalid permlink character: %q", string(c))
		}
	}
	return nil
}

// coin checks the form of a base coin amount.
func validCoin(a Asset, symbol, message string) error {
	return firstError(
		rule(a.Check() == nil, "invalid asset"),
		rule(a.Symbol == symbol && a.Precision == 3, "%s", message),
	)
}
