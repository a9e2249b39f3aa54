#!/usr/bin/env python3
"""Drives the translated cases of Autobahn|Testsuite against a server.

    fuzzer.py PORTED URL RESULTS CASE…      such as 1.* 9.1.1; appends one line of JSON for each case to RESULTS

PORTED is the folder that port.py wrote. Cases, expectations and verdicts are the suite's, and so is the client that plays
them. From here come the way between octets as text and bytes (see port.py), the record of the outcome in place of the
suite's pages, and patience: where a case would give a peer up after so many seconds, it is given ten times as many, so that
a busy machine is no failure. What a case waits for on purpose is not stretched.

Ends with 1 when a case raised an exception, whatever became of it.
"""

import json
import sys
import time
import warnings

warnings.simplefilter("ignore")
ported, url, results, *patterns = sys.argv[1:]
sys.path.insert(0, ported)

from autobahn.twisted.websocket import WebSocketClientProtocol, connectWS
from autobahntestsuite import fuzzing
from autobahntestsuite.octets import to_bytes, to_text
from twisted.internet import reactor
from twisted.python import log

PATIENCE = 10
TIMEOUTS = {"openHandshakeTimeout": 5, "closeHandshakeTimeout": 1, "serverConnectionDropTimeout": 1}  # the client's own
raised = 0


class Protocol(fuzzing.FuzzingClientProtocol):
    # To the wire

    def sendFrame(self, opcode, payload=b"", payload_len=None, **options):
        payload = to_bytes(payload)
        if payload_len is not None:  # what is there, over and over
            payload = (payload * (payload_len // len(payload) + 1))[:payload_len]
        return super().sendFrame(opcode, payload, **options)

    def sendMessage(self, payload, *arguments, **options):
        return super().sendMessage(to_bytes(payload), *arguments, **options)

    def sendMessageFrameData(self, payload, *arguments, **options):
        return super().sendMessageFrameData(to_bytes(payload), *arguments, **options)

    def sendCloseFrame(self, code=None, reasonUtf8=None, **options):
        return super().sendCloseFrame(code, None if reasonUtf8 is None else to_bytes(reasonUtf8), **options)

    # From the wire

    def onMessage(self, payload, is_binary):
        # The compression cases tell text from octets by themselves.
        tells = hasattr(self.runCase, "TESTDATA")
        super().onMessage(payload if tells else to_text(payload), is_binary)

    def onPong(self, payload):
        super().onPong(to_text(payload))

    # Patience

    def killAfter(self, delay):
        super().killAfter(delay * PATIENCE)

    def closeAfter(self, delay):
        super().closeAfter(delay * PATIENCE)

    # The record: frames are counted, since a case asks for the count; nothing else of the traffic is kept

    def logRxOctets(self, data):
        pass

    def logTxOctets(self, data, sync):
        pass

    def logRxFrame(self, header, payload):
        self.rxFrameStats[header.opcode] = self.rxFrameStats.get(header.opcode, 0) + 1

    def logTxFrame(self, header, payload, repeated, chop, sync):
        self.txFrameStats[header.opcode] = self.txFrameStats.get(header.opcode, 0) + 1

    def connectionLost(self, reason):
        WebSocketClientProtocol.connectionLost(self, reason)
        self.runCase.onConnectionLost(self.failedByMe)
        self.factory.record(self)


class Factory(fuzzing.FuzzingClientFactory):
    def buildProtocol(self, address):
        protocol = Protocol()
        protocol.factory = self
        protocol.caseAgent = self.agent
        protocol.case = self.currentCaseIndex
        protocol.Case = fuzzing.Cases[self.currentCaseIndex - 1]
        protocol.runCase = protocol.Case(protocol)
        return protocol

    def record(self, protocol):
        case = protocol.runCase
        outcome = {
            "case": self.currentCaseId,
            "behavior": case.behavior,
            "close": case.behaviorClose,
            "seconds": round(time.time() - protocol.caseStart, 3) if protocol.caseStart else 0,
            "result": case.result,
            "resultClose": case.resultClose,
            "code": protocol.remoteCloseCode,
        }
        with open(results, "a", encoding="utf-8") as file:
            print(json.dumps(outcome), file=file)

    def createReports(self):
        pass

    def clientConnectionFailed(self, connector, reason):
        print(f"{url}: {reason.getErrorMessage()}", file=sys.stderr)
        reactor.stop()


def on_event(event):
    global raised
    if event["isError"]:
        raised += 1
        print(log.textFromEventDict(event), file=sys.stderr)


log.addObserver(on_event)
Factory({
    "servers": [{"agent": "usher", "url": url}],
    "cases": patterns,
    "options": {name: seconds * PATIENCE for name, seconds in TIMEOUTS.items()},
})
reactor.run()
sys.exit(1 if raised else 0)
