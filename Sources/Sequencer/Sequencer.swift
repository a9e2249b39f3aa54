// Sequencer
