import Crypto
import Foundation
import Testing

@Suite(.enabled(if: opensslPath != nil)) struct DevelopmentCertificateTests {
    private func withCertificate(hosts: [String]? = nil, now: UInt64? = nil, _ body: (String, String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let now = now ?? UInt64(Date().timeIntervalSince1970 * 1000)
            let made = try hosts.map { try DevelopmentCertificate.create(hosts: $0, now: now) } ?? .create(now: now)
            try made.save(certificate: folder + "/cert.pem", key: folder + "/key.pem")
            try body(folder + "/cert.pem", folder + "/key.pem")
        }
    }

    @Test func `a client that trusts it verifies it for every loopback name and for no other`() throws {
        try withCertificate { certificate, _ in
            let good =
                [("-verify_hostname", "localhost"), ("-verify_ip", "::1")] + (1...9).map { ("-verify_ip", "127.0.0.\($0)") }
            let bad = [("-verify_hostname", "example.org"), ("-verify_ip", "127.0.0.10")]
            for (check, name) in good + bad {
                let (status, output) = try openssl(
                    "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", certificate, check, name, certificate)
                #expect((status == 0) == good.contains { $0.1 == name }, "\(name): \(output)")
            }
        }
    }

    @Test func `nobody trusts it unasked`() throws {
        try withCertificate { certificate, _ in
            let (status, output) = try openssl("verify", "-no-CApath", "-no-CAstore", "-no-CAfile", certificate)
            #expect(status != 0)
            #expect(output.contains("self-signed certificate"))
        }
    }

    @Test func `it is a v3 end-entity certificate on P-256 for a year`() throws {
        // 2024-01-02 03:04:05 UTC
        try withCertificate(now: 1_704_164_645_678) { certificate, _ in
            let text = try openssl("x509", "-in", certificate, "-noout", "-text").output
            for line in [
                "Version: 3", "CA:FALSE", "ecdsa-with-SHA256", "NIST CURVE: P-256", "TLS Web Server Authentication",
                "Not Before: Jan  2 02:04:05 2024 GMT", "Not After : Jan  1 02:04:05 2025 GMT", "CN = Usher development",
            ] { #expect(text.contains(line), "\(line)") }
        }
    }

    @Test func `the key is the certificate's and private to its owner`() throws {
        try withCertificate { certificate, key in
            #expect(try mode(key) == 0o600)
            #expect(try mode(certificate) == 0o644)
            let fromKey = try openssl("pkey", "-in", key, "-pubout")
            let fromCertificate = try openssl("x509", "-in", certificate, "-noout", "-pubkey")
            #expect(fromKey.status == 0)
            #expect(fromKey.output == fromCertificate.output)
        }
    }

    @Test func `saving again replaces both files`() throws {
        try withCertificate { certificate, key in
            let other = try DevelopmentCertificate.create(hosts: ["example.org"], now: 1_704_164_645_678)
            try other.save(certificate: certificate, key: key)
            #expect(try Array(Data(contentsOf: URL(fileURLWithPath: certificate))) == other.certificatePEM)
            #expect(try Array(Data(contentsOf: URL(fileURLWithPath: key))) == other.privateKeyPEM)
        }
    }

    @Test(arguments: [
        "", "a,DNS:b", "a b", "dirName:x", "é.example", "a\n", "::1,IP:1.2.3.4", String(repeating: "a", count: 254),
    ])
    func `a text that is no host cannot smuggle another name in`(host: String) {
        #expect(throws: CryptoError.invalidHost(host)) { try DevelopmentCertificate.create(hosts: [host], now: 0) }
    }

    @Test func `a certificate for nobody is refused`() {
        #expect(throws: CryptoError.self) { try DevelopmentCertificate.create(hosts: [], now: 0) }
    }
}
