// SeatMap
