// A self-signed certificate for development: X.509 v3 (RFC 5280), ECDSA on P-256 with SHA-256.
//
// It is an end-entity certificate (CA:FALSE, no right to sign others), so a client trusts exactly this one by naming it as its
// trust anchor, and nothing else is trusted with it. Names stand in subjectAltName, the only place that is looked at (RFC 9525).

import COpenSSL
import Glibc

/// A certificate and its private key, both as PEM.
public struct DevelopmentCertificate: Sendable {
    /// The certificate, PEM.
    public let certificatePEM: [UInt8]
    /// The private key, PKCS #8 PEM, unencrypted.
    public let privateKeyPEM: [UInt8]

    /// What a server on this machine is called: the name, both loopback addresses, and 127.0.0.2 to 127.0.0.9, from which load
    /// generators connect when one address has too few ports.
    public static let loopbackHosts = ["localhost"] + (1...9).map { "127.0.0.\($0)" } + ["::1"]

    /// Validity in days.
    public static let days: Int32 = 365

    /// Makes a new key and its certificate.
    ///
    /// - Parameters:
    ///   - hosts: names and addresses it is for; at least one.
    ///   - now: wall time, ms since 1970. Valid from one hour before (clocks differ) for ``days``.
    /// - Throws: `CryptoError.invalidHost` for a text that is no host name or address.
    public static func create(
        hosts: [String] = loopbackHosts, now: UInt64
    ) throws(CryptoError) -> DevelopmentCertificate {
        var names: [String] = []
        for host in hosts { names.append(try alternativeName(host)) }
        guard !names.isEmpty else { throw .invalidHost("") }
        let key = try unsafe Key(owning: usher_generate_p256(), "EVP_PKEY_Q_keygen")
        guard let certificate = unsafe X509_new() else { throw CryptoError.latest("X509_new") }
        defer { unsafe X509_free(certificate) }

        // Positive and at most 20 bytes (RFC 5280 §4.1.2.2); random, so that browsers never see one serial twice.
        var serial = randomBytes(16)
        serial[0] = serial[0] & 0x7F | 0x40
        guard let number = unsafe BN_bin2bn(serial, Int32(serial.count), nil) else { throw CryptoError.latest("BN_bin2bn") }
        defer { unsafe BN_free(number) }
        var start = time_t(now / 1000) - 3600
        let name = unsafe X509_get_subject_name(certificate)
        let commonName = Array("Usher development".utf8)
        // All pointers are the live objects above; the certificate owns name, serial number and times.
        guard unsafe X509_set_version(certificate, 2) == 1,  // 2 means v3
            unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil,
            unsafe X509_time_adj_ex(X509_getm_notBefore(certificate), 0, 0, &start) != nil,
            unsafe X509_time_adj_ex(X509_getm_notAfter(certificate), days, 0, &start) != nil,
            unsafe X509_NAME_add_entry_by_txt(
                name, "CN", 0x1000 /* MBSTRING_UTF8 */, commonName, Int32(commonName.count), -1, 0) == 1,
            unsafe X509_set_issuer_name(certificate, name) == 1,
            unsafe X509_set_pubkey(certificate, key.pointer) == 1
        else { throw CryptoError.latest("X509_set") }

        let extensions = [
            (NID_basic_constraints, "critical,CA:FALSE"),
            (NID_key_usage, "critical,digitalSignature"),
            (NID_ext_key_usage, "serverAuth"),
            (NID_subject_alt_name, names.joined(separator: ",")),
            (NID_subject_key_identifier, "hash"),
        ]
        for (identifier, value) in extensions { try unsafe add(identifier, value, to: certificate) }
        guard unsafe X509_sign(certificate, key.pointer, EVP_sha256()) > 0 else { throw CryptoError.latest("X509_sign") }

        let bio = try MemoryBIO()
        guard unsafe PEM_write_bio_X509(bio.pointer, certificate) == 1 else { throw CryptoError.latest("PEM_write_bio_X509") }
        return try DevelopmentCertificate(certificatePEM: bio.contents, privateKeyPEM: key.privatePEM())
    }

    /// Writes both files, replacing older ones: the certificate readable by all, the key with mode 0600.
    public func save(certificate certificatePath: String, key keyPath: String) throws(CryptoError) {
        try SecretFile.write(privateKeyPEM, to: keyPath, replacing: true)
        try SecretFile.write(certificatePEM, to: certificatePath, mode: 0o644, replacing: true)
    }

    private static func add(_ identifier: Int32, _ value: String, to certificate: OpaquePointer) throws(CryptoError) {
        var context = unsafe X509V3_CTX()
        unsafe usher_self_signed_context(&context, certificate)
        guard let made = unsafe X509V3_EXT_conf_nid(nil, &context, identifier, value) else {
            throw CryptoError.latest("X509V3_EXT_conf_nid")
        }
        defer { unsafe X509_EXTENSION_free(made) }
        // The certificate keeps a copy.
        guard unsafe X509_add_ext(certificate, made, -1) == 1 else { throw CryptoError.latest("X509_add_ext") }
    }

    /// The host in the notation of X509V3_EXT_conf_nid. Its characters are checked, since a comma there would start another name.
    private static func alternativeName(_ host: String) throws(CryptoError) -> String {
        var address = in6_addr()  // large enough for both families
        // inet_pton writes at most the size of the family's address.
        if unsafe inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1 { return "IP:\(host)" }
        let isName = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "*"):
                true
            default: false
            }
        }
        guard isName, (1...253).contains(host.utf8.count) else { throw .invalidHost(host) }
        return "DNS:\(host)"
    }
}
