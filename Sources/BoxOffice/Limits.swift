/// The bounds of the state machine. Nothing in it grows past them; what would is refused.
public enum SaleLimits {
    /// Concerts of a sale.
    public static let concerts = 4_096
    /// Performances of a sale.
    public static let performances = 65_536
    /// Seats of all performances together.
    public static let seats = 8_388_608
    /// Joins of one line, ever.
    public static let joinsPerLine = 16_777_216
    /// Users, tokens, reservations, payments, transactions: of each, ever. Ids are kept in 32 bits.
    public static let records = 4_000_000_000
    /// What one entry may set off by itself: tokens and holds that end, seats they free, people admitted or found absent.
    /// Some milliseconds of the sequencer's thread.
    public static let workPerEntry = 4_096
    /// Most people whom one turn of a turnstile lets in: a turn is not divided.
    public static let batch: UInt32 = 4_096
    /// Places drawn with one entry: some milliseconds too.
    public static let drawPerEntry = 32_768
    /// Seats of one hold.
    public static let seatsPerHold = 64
    /// Outcomes remembered for one user before commands are refused for it.
    public static let requestIds = 256
    /// How long an outcome is remembered, in milliseconds: 24 h.
    public static let rememberedMilliseconds: UInt64 = 86_400_000
    /// Instances known at once, living or not.
    public static let instances = 128
    /// Sources (loops) of one instance.
    public static let sourcesPerInstance = 256
    /// Notices kept of each concert for those who come later.
    public static let notices = 16
    /// Bytes of a notice.
    public static let noticeBytes = 1_000
    /// Published keys kept, the newest ones.
    public static let keys = 256
    /// Highest price of a seat: with it no sum of prices overflows.
    public static let price: UInt64 = 1_000_000_000_000
    /// Ended reservations that a token's status still shows.
    public static let endedReservationsShown = 16
}

/// Times that are part of the rules, in milliseconds.
enum RuleTimes {
    /// Longest silence of the journal that is not an outage.
    static let gap: UInt64 = 5_000
    /// While somebody is in a line, an entry is due this long after the last one: silence then means an outage. Well
    /// under `gap`, so that a slow disk does not look like one.
    static let heartbeat: UInt64 = 2_000
    /// After an outage nothing lapses for this long.
    static let respite: UInt64 = 60_000
    /// After an outage, how long nobody becomes absent and nobody is admitted.
    static let quiet: UInt64 = 10_000
    /// An instance's first entry in each stretch of journal time of this length is a beat, so that neither its load nor
    /// entries for deadlines make it count faster.
    static let beat: UInt64 = 500
    /// An instance is gone when another has beaten this many times since its last entry: after 3 to 4.5 s.
    static let beatsUntilGone = 8
}
