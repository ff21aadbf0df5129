// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// An ERC-20 whose misbehaviour anybody can switch. For tests only.
contract Token {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    string public name;
    string public symbol;
    uint8 public immutable decimals;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    uint8 public constant STANDARD = 0;
    uint8 public constant RETURNS_NOTHING = 1; // moves, answers no data (USDT)
    uint8 public constant RETURNS_FALSE = 2;   // moves nothing, no event, answers false
    uint8 public constant ONLY_EVENT = 3;      // Transfer is emitted, nothing moves
    uint8 public constant NO_EVENT = 4;        // moves, Transfer is not emitted

    uint8 public mode;
    uint16 public feeBasisPoints; // kept from what arrives, burned
    bool public feeHidden;        // Transfer tells the whole amount
    bool public paused;
    mapping(address => bool) public blacklisted;

    constructor(string memory name_, string memory symbol_, uint8 decimals_, uint256 supply_) {
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
        _mint(msg.sender, supply_);
    }

    function setMode(uint8 mode_) external { mode = mode_; }
    function setFee(uint16 basisPoints, bool hidden) external {
        require(basisPoints <= 10000, "fee above 100 %");
        feeBasisPoints = basisPoints;
        feeHidden = hidden;
    }
    function setPaused(bool paused_) external { paused = paused_; }
    function setBlacklisted(address who, bool on) external { blacklisted[who] = on; }
    function mint(address to, uint256 value) external { _mint(to, value); }

    /// Takes tokens away without any event, as an owner's rescue or a rebase does.
    function confiscate(address from, uint256 value) external {
        balanceOf[from] -= value;
        totalSupply -= value;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return _answer();
    }

    function transfer(address to, uint256 value) external returns (bool) {
        return _transfer(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        require(allowed >= value, "allowance exceeded");
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - value;
        return _transfer(from, to, value);
    }

    function _transfer(address from, address to, uint256 value) private returns (bool) {
        require(!paused, "paused");
        require(!blacklisted[from] && !blacklisted[to], "blacklisted");
        require(balanceOf[from] >= value, "balance exceeded");
        if (mode == RETURNS_FALSE) return false;
        if (mode == ONLY_EVENT) {
            emit Transfer(from, to, value);
            return true;
        }
        uint256 fee = value * feeBasisPoints / 10000;
        balanceOf[from] -= value;
        balanceOf[to] += value - fee;
        totalSupply -= fee;
        if (mode != NO_EVENT) {
            emit Transfer(from, to, feeHidden ? value : value - fee);
            if (fee > 0 && !feeHidden) emit Transfer(from, address(0), fee);
        }
        return _answer();
    }

    function _answer() private view returns (bool) {
        if (mode == RETURNS_NOTHING) assembly { return(0, 0) }
        return true;
    }

    function _mint(address to, uint256 value) private {
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }
}

/// Pays ether by calls of its own: no transaction names the payees.
contract Payer {
    /// Divides the ether equally.
    function pay(address payable[] calldata payees) external payable {
        for (uint256 i = 0; i < payees.length; i++) {
            (bool ok,) = payees[i].call{value: msg.value / payees.length}("");
            require(ok, "payee refused");
        }
    }

    /// Pays inside a call that reverts: the transaction succeeds, nobody is paid.
    function payReverted(address payable payee) external payable {
        try this.payThenRevert{value: msg.value}(payee) { } catch { }
    }

    function payThenRevert(address payable payee) external payable {
        (bool ok,) = payee.call{value: msg.value}("");
        require(!ok, "as told");
    }
}

/// A payee that is a contract. Anybody can switch how it takes ether.
contract Payee {
    event Received(uint256 value);

    uint8 public constant ACCEPTS = 0;
    uint8 public constant EMITS = 1;    // takes more gas than a plain transfer has
    uint8 public constant REVERTS = 2;
    uint8 public constant EATS_GAS = 3; // burns all gas that it is given

    uint8 public mode;
    uint256 private eaten;

    function setMode(uint8 mode_) external { mode = mode_; }

    receive() external payable {
        if (mode == EMITS) emit Received(msg.value);
        if (mode == REVERTS) revert("refused");
        if (mode == EATS_GAS) while (true) eaten++;
    }
}

/// Forces its ether upon an address, by no call that the address could see.
contract Bomb {
    constructor(address payable target) payable { selfdestruct(target); }
}
