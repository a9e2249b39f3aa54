// Accounts: charging, and the list of what moved the balance.

internal import UsherAPI

extension BoxOffice {
    /// Charges the caller's own account. Needs an active token, of any concert, unless the sale's settings say otherwise.
    mutating func charge(_ charge: Charge, _ caller: Caller) throws(Refusal) -> Committed {
        if settings.accountNeedsActiveToken { _ = try activeToken(caller) }
        guard charge.amount > 0, charge.amount <= settings.maxCharge else { throw .amountInvalid(limit: settings.maxCharge) }
        let balance = users[caller.user].balance.saturatingAdd(charge.amount)
        guard balance <= settings.maxBalance else { throw .balanceTooLarge(limit: settings.maxBalance) }
        guard transactions.count < SaleLimits.records else { throw .tableFull("transactions", limit: SaleLimits.records) }
        users[caller.user].balance = balance
        return .charged(transaction: addTransaction(caller.user, TransactionRecord.charge, charge.amount, reservation: nil))
    }

    /// Records what has just moved the user's balance.
    mutating func addTransaction(_ user: Int, _ kind: UInt8, _ amount: UInt64, reservation: Int?) -> Int {
        var record = TransactionRecord(
            user: UInt32(truncatingIfNeeded: user), reservation: UInt32(truncatingIfNeeded: (reservation ?? -1) + 1),
            kind: kind,
            amount: amount, balanceAfter: users[user].balance, time: clock)
        record.previousOfUser = users[user].lastTransaction
        transactions.append(record)
        users[user].lastTransaction = UInt32(truncatingIfNeeded: transactions.count)
        return transactions.count - 1
    }

    mutating func configure(_ configure: Configure, _ effects: inout Effects) {
        let defaults = SaleSettings()
        settings.accountNeedsActiveToken = !configure.accountNeedsNoToken
        settings.maxCharge = configure.maxCharge == 0 ? defaults.maxCharge : configure.maxCharge
        settings.maxBalance = configure.maxBalance == 0 ? defaults.maxBalance : configure.maxBalance
        effects.catalogueChanged = true
    }
}
