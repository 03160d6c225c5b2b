package email

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/matcornic/hermes/v2"
)

// pieceKind says what hermes makes of a string.
type pieceKind int

const (
	pieceText     pieceKind = iota // escaped, and nothing else
	pieceOptional                  // with it, what surrounds it goes
	pieceLink
	pieceButton // hermes makes the button as wide as its text is long
)

// piece is one string of a content.
type piece struct {
	at   *string
	kind pieceKind
}

// pieces are the strings that a mail shows, always in the same order.
func (c *content) pieces() []piece {
	b := &c.body
	out := make([]piece, 0, 8+len(b.Intros)+len(b.Outros)+2*len(b.Dictionary)+3*len(b.Actions))
	out = append(out, piece{&c.preheader, pieceOptional}, piece{&c.unsubscribe, pieceLink}, piece{&b.Title, pieceOptional}, piece{&b.Signature, pieceText})
	for _, lines := range [][]string{b.Intros, b.Outros} {
		for i := range lines {
			out = append(out, piece{&lines[i], pieceText})
		}
	}
	for i := range b.Dictionary {
		out = append(out, piece{&b.Dictionary[i].Key, pieceText}, piece{&b.Dictionary[i].Value, pieceText})
	}
	for i := range b.Actions {
		a := &b.Actions[i]
		out = append(out, piece{&a.Instructions, pieceOptional}, piece{&a.Button.Text, pieceButton}, piece{&a.Button.Link, pieceLink})
	}
	for i, row := range b.Table.Data {
		if c.fixedTable {
			break
		}
		for j := range row {
			if i == 0 { // the names of the columns are read from the first row
				out = append(out, piece{&row[j].Key, pieceText})
			}
			out = append(out, piece{&row[j].Value, pieceText})
		}
	}
	return out
}

// shape names everything that a mail's form depends on: contents of one shape differ in what their pieces say.
func (c *content) shape(pieces []piece) string {
	var b strings.Builder
	b.Grow(64 + len(c.marked))
	for _, n := range []int{len(c.body.Intros), len(c.body.Outros), len(c.body.Dictionary), len(c.body.Actions), len(c.body.Table.Data)} {
		b.WriteString(strconv.Itoa(n))
		b.WriteByte(' ')
	}
	if len(c.body.Table.Data) > 0 {
		b.WriteString(strconv.Itoa(len(c.body.Table.Data[0])))
	}
	for _, p := range pieces {
		switch {
		case p.kind == pieceText:
		case *p.at == "":
			b.WriteByte('-')
		case p.kind == pieceButton:
			b.WriteString(strconv.Itoa(buttonLength(*p.at)))
			b.WriteByte(' ')
		default:
			b.WriteByte('+')
		}
	}
	for _, a := range c.body.Actions {
		b.WriteString(a.Button.Color)
		b.WriteByte(' ')
		b.WriteString(a.Button.TextColor)
		b.WriteByte(' ')
	}
	b.WriteString(c.words.language)
	b.WriteByte(' ')
	b.WriteString(c.words.unsubscribe) // of a template that does not say which language it is in, these words are the contact's
	b.WriteByte(0)
	for _, cell := range c.fixedCells() {
		b.WriteString(cell)
		b.WriteByte(0)
	}
	if c.raw {
		fmt.Fprintf(&b, "html %t ", slices.Contains(c.held.list, c.unsubscribe))
	}
	b.WriteString(c.marked)
	return b.String()
}

// fixedCells are what a table says that is the same for everybody. It is part of the shape, so that its columns are measured once.
func (c *content) fixedCells() []string {
	if !c.fixedTable {
		return nil
	}
	var out []string
	for _, row := range c.body.Table.Data {
		for _, cell := range row {
			out = append(out, cell.Key, cell.Value)
		}
	}
	return out
}

// hermes makes a button 9 pixels a byte and 20 more wide, at least 200 and at most 570.
const (
	shortButton = 20
	longButton  = 62
)

// buttonLength stands for all lengths of text that make a button as wide.
func buttonLength(text string) int {
	return min(max(len(text), shortButton), longButton)
}

const slotMark = "tlslot"

// slotted is a content of the same shape that says the number of each piece in its place.
func (c *content) slotted(pieces []piece) *content {
	out := *c
	out.body.Intros, out.body.Outros = slices.Clone(c.body.Intros), slices.Clone(c.body.Outros)
	out.body.Dictionary, out.body.Actions = slices.Clone(c.body.Dictionary), slices.Clone(c.body.Actions)
	out.body.Table.Data = make([][]hermes.Entry, len(c.body.Table.Data))
	for i, row := range c.body.Table.Data {
		out.body.Table.Data[i] = slices.Clone(row)
	}
	for i, p := range out.pieces() {
		if *pieces[i].at == "" && p.kind != pieceText {
			continue
		}
		mark := slotMark + strconv.Itoa(i)
		if p.kind == pieceButton {
			mark += strings.Repeat("x", buttonLength(*pieces[i].at)-len(mark)-1)
		}
		*p.at = mark + "q"
	}
	return &out
}
