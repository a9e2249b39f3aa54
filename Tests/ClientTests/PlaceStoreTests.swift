import Client
import Foundation
import Testing
import UsherAPI

@testable import usher

struct PlaceStoreTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "usher-places-\(Uuid.random())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func store(_ folder: String, server: String = "wss://localhost:8443", user: String = "ada") throws -> PlaceStore {
        PlaceStore(server: try ServerURL(server), user: try #require(UserName(argument: user)).id, stateFolder: folder)
    }

    @Test func `what is kept is found by another process of the same user and server, and by no other`() throws {
        try withFolder { folder in
            try store(folder).keep("token-1", of: "aurora")
            try store(folder).keep("token-2", of: "brass")
            #expect(try store(folder).token(of: "aurora") == "token-1")
            #expect(try store(folder).tokens == ["aurora": "token-1", "brass": "token-2"])
            #expect(try store(folder, user: "bob").tokens == [:])
            #expect(try store(folder, server: "wss://localhost:9443").tokens == [:])
        }
    }

    @Test func `keeping replaces, forgetting removes`() throws {
        try withFolder { folder in
            let store = try store(folder)
            try store.keep("old", of: "aurora")
            try store.keep("new", of: "aurora")
            #expect(store.token(of: "aurora") == "new")
            store.forget("aurora")
            #expect(store.token(of: "aurora") == nil)
            store.forget("aurora")
        }
    }

    @Test func `only the owner may read a token`() throws {
        try withFolder { folder in
            let store = try store(folder)
            try store.keep("secret", of: "aurora")
            let attributes = try FileManager.default.attributesOfItem(atPath: store.folder + "/aurora")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let names = try FileManager.default.contentsOfDirectory(atPath: store.folder)
            #expect(names == ["aurora"])
        }
    }

    @Test(arguments: ["../aurora", "", ".seen", "a/b", "Aurora", String(repeating: "a", count: 65)])
    func `what is no concert's id is not a file's name`(concert: String) throws {
        try withFolder { folder in
            let store = try store(folder)
            try store.keep("token", of: concert)
            #expect(store.token(of: concert) == nil)
            #expect(!FileManager.default.fileExists(atPath: folder))
        }
    }

    @Test func `what was seen is remembered beside the tokens`() throws {
        try withFolder { folder in
            let store = try store(folder)
            #expect(store.seen == nil)
            store.seen = (Uuid(high: 1, low: 2), 77)
            let seen = try #require(store.seen)
            #expect(seen.epoch == Uuid(high: 1, low: 2))
            #expect(seen.position == 77)
            #expect(store.tokens == [:])
        }
    }

    @Test func `this machine's user is made once`() throws {
        try withFolder { folder in
            let environment = ["XDG_CONFIG_HOME": folder]
            let first = try UserName.own(environment: environment)
            #expect(!first.id.isNone)
            #expect(try UserName.own(environment: environment) == first)
        }
    }

    @Test func `a relative XDG folder is ignored, as its specification says`() {
        #expect(Folders.state(["HOME": "/somewhere/x", "XDG_STATE_HOME": "relative"]) == "/somewhere/x/.local/state/usher")
        #expect(Folders.configuration(["HOME": "/somewhere/x", "XDG_CONFIG_HOME": "/etc/x"]) == "/etc/x/usher")
    }
}
