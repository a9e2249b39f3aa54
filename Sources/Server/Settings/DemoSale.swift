extension ConcertFile {
    /// The demonstration: three concerts that show the three admission policies, several dates of 50 seats each.
    /// Times count from the first start, so that there is always something to try.
    static let demo = """
        concerts:
          - id: aurora
            title: Aurora Lights
            venue: Harbour Hall
            opens: +0s
            max-active: 5            # teller: five at a time, one out, one in
            max-seats: 4
            cancel-until: 1d
            performances:
              - {id: aurora-1, starts: +30d, seats: 50, prices: [{first: 1, last: 10, price: 9000}, {first: 11, last: 50, price: 4500}]}
              - {id: aurora-2, starts: +31d, seats: 50, prices: [{first: 1, last: 10, price: 9000}, {first: 11, last: 50, price: 4500}]}
              - {id: aurora-3, starts: +32d, seats: 50, prices: [{first: 1, last: 10, price: 9500}, {first: 11, last: 50, price: 5000}]}
          - id: brass
            title: Brass in the Park
            venue: Old Park Stage
            opens: +0s
            batch: 20                # turnstile: twenty every five seconds
            interval: 5s
            max-seats: 2
            performances:
              - {id: brass-1, starts: +40d, seats: 50, prices: [{first: 1, last: 50, price: 2500}]}
              - {id: brass-2, starts: +41d, seats: 50, prices: [{first: 1, last: 50, price: 2500}]}
          - id: comet
            title: Comet Choir
            venue: Cathedral Square
            lobby-opens: +0s
            opens: +2m               # a lobby first, then a draw decides the order
            lobby-order: draw
            max-active: 100          # both: ten every second, but never more than a hundred at once
            batch: 10
            interval: 1s
            performances:
              - {id: comet-1, starts: +60d, seats: 50, prices: [{first: 1, last: 20, price: 7000}, {first: 21, last: 50, price: 5500}]}
              - {id: comet-2, starts: +61d, seats: 50, prices: [{first: 1, last: 20, price: 7000}, {first: 21, last: 50, price: 5500}]}
        """
}
