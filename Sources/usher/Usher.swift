import ArgumentParser

@main
struct Usher: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "usher", abstract: "The front door and box office of a concert on-sale.",
        subcommands: [Serve.self, Stampede.self])
}
