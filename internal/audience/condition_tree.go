package audience

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
)

// Expression is the condition's checked syntax, for those who answer it in another way than by evaluation: the store asks PostgreSQL.
func (c *Condition) Expression() ast.Expr { return c.tree.Expr() }

// IsTruth tells whether a part of the condition is true or false by its type, and not only when it runs.
func (c *Condition) IsTruth(e ast.Expr) bool { return c.tree.GetType(e.ID()).IsExactType(cel.BoolType) }

// CompileFilter compiles the filter of did and count: a condition over the event alone.
func CompileFilter(source string) (*Condition, error) { return compileWhere(source) }
