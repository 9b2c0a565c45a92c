package extract

// Limits bounds what one document may cost. Sizes are in bytes.
type Limits struct {
	MaxDepth    int // nesting
	MaxKeys     int // object keys of a document
	MaxString   int // each string and number
	MaxDocument int
}
