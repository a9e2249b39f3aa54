import BenchmarkBodies
import Testing
