// The peer: WebSocket over TLS on SwiftNIO, one thread, as its documentation would have it.
//
//     /echo  answers every message with itself; flushed once all messages of a read have been answered
//     /sub   gets what is sent to /pub
//     /pub   every message goes to all of /sub
//
//     nio-peer PORT CERTIFICATE KEY [cork]
//
// `cork` adds what NIO has not by itself: all frames of one flush leave as one buffer, hence in one TLS record.

import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

@main
enum NIOPeer {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let port = Int(arguments[1]) else {
            fatalError("nio-peer PORT CERTIFICATE KEY [cork]")
        }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(arguments[2]).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: arguments[3], format: .pem)))
        tls.minimumTLSVersion = .tlsv13
        tls.applicationProtocols = ["http/1.1"]
        let context = try NIOSSLContext(configuration: tls)
        let corks = arguments.dropFirst(4).contains("cork")

        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLServerHandler(context: context))
                    if corks { try pipeline.addHandler(Cork()) }
                    try pipeline.configureHTTPServerPipeline(
                        withPipeliningAssistance: false,
                        withServerUpgrade: (upgraders: [upgrader()], completionHandler: { _ in }), withErrorHandling: false)
                }
            }
        let server = try bootstrap.bind(host: "127.0.0.1", port: port).wait()
        print("listening on \(server.localAddress?.port ?? 0)")
        fflush(nil)
        try server.closeFuture.wait()
    }

    /// Each path has its handler; the one loop's subscribers are shared.
    @Sendable static func upgrader() -> NIOWebSocketServerUpgrader {
        NIOWebSocketServerUpgrader(
            maxFrameSize: 1 << 16,
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
            upgradePipelineHandler: { channel, head in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    switch head.uri {
                    case "/sub": try pipeline.addHandler(Subscriber())
                    case "/pub": try pipeline.addHandler(Publisher())
                    default: try pipeline.addHandler(Echo())
                    }
                }
            })
    }
}

final class Echo: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text, .binary:
            context.write(
                wrapOutboundOut(WebSocketFrame(fin: true, opcode: frame.opcode, data: frame.unmaskedData)), promise: nil)
        case .connectionClose: context.close(promise: nil)
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

final class Subscriber: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// By the order of arrival; only the loop touches them.
    nonisolated(unsafe) static var all: [ObjectIdentifier: ChannelHandlerContext] = [:]

    func handlerAdded(context: ChannelHandlerContext) { Self.all[ObjectIdentifier(self)] = context }

    func handlerRemoved(context: ChannelHandlerContext) { Self.all[ObjectIdentifier(self)] = nil }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

final class Publisher: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        guard frame.opcode == .binary || frame.opcode == .text else { return }
        // One buffer, shared by all: NIO's are copied on write, and nobody writes.
        let message = WebSocketFrame(fin: true, opcode: frame.opcode, data: frame.unmaskedData)
        for subscriber in Subscriber.all.values { subscriber.writeAndFlush(NIOAny(message), promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Gathers what is written until it is flushed.
final class Cork: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var gathered: ByteBuffer?

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var bytes = unwrapOutboundIn(data)
        if gathered == nil { gathered = bytes } else { gathered!.writeBuffer(&bytes) }
        promise?.succeed()
    }

    func flush(context: ChannelHandlerContext) {
        if let bytes = gathered {
            gathered = nil
            context.write(wrapOutboundOut(bytes), promise: nil)
        }
        context.flush()
    }
}
