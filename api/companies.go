package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// Companies keeps whom contacts work for. Lists begin with the empty cursor and go on with the Next of the page before.
type Companies interface {
	FindCompany(ctx context.Context, id string) (audience.Company, error)
	FindCompanyByGroup(ctx context.Context, groupID string) (audience.Company, error)
	ListCompanies(ctx context.Context, cursor string, limit int) (Page[audience.Company], error)
	ListCompanyMembers(ctx context.Context, companyID, cursor string, limit int) (Page[audience.Contact], error)
	SaveCompany(ctx context.Context, groupID string, traits map[string]any, merge bool, now time.Time) (audience.Company, error)
	DeleteCompany(ctx context.Context, groupID string, now time.Time) error
}

// CompaniesInput lists companies, or looks one up.
type CompaniesInput struct {
	GroupID string `query:"group_id" maxLength:"1000" doc:"Only the company that the product calls this."`
	ID      string `query:"id" maxLength:"36" doc:"Only the company with this id, as objects name it."`
	ListInput
}

// CompanyInput names a company by what the product calls it.
type CompanyInput struct {
	GroupID string `path:"group_id" maxLength:"1000" doc:"As the product calls it, percent-encoded."`
}

// SaveCompanyInput is a company's traits.
type SaveCompanyInput struct {
	CompanyInput
	Body struct {
		Traits map[string]any `json:"traits" doc:"Conditions see them as company.*. A trait that is null is removed."`
	}
}

type companyOutput struct{ Body audience.Company }

func (s *server) companyRoutes() {
	read, write := anyOf(ScopeRead, ScopeSales), anyOf(ScopeIngest, ScopeJourneys)
	op := func(id, method, path, summary, doc string, a access) operation {
		return operation{id: id, method: method, path: "/v1/companies" + path, tag: "companies", summary: summary, doc: doc, access: a}
	}
	const told = " Its members' segments and scores follow within seconds."
	handle(s, op("list-companies", http.MethodGet, "", "List companies", "The newest first; or one of them, by group_id or id.", read), s.listCompanies)
	handle(s, op("find-company", http.MethodGet, "/{group_id}", "Read a company", "", read), s.findCompany)
	handle(s, op("save-company", http.MethodPut, "/{group_id}", "Set a company's traits",
		"In place of those that it has. A new company is made, as by a group call."+told, write), s.saveCompany(false))
	handle(s, op("patch-company", http.MethodPatch, "/{group_id}", "Change some of a company's traits", "The others stay, as by a group call."+told, write), s.saveCompany(true))
	remove := op("delete-company", http.MethodDelete, "/{group_id}", "Forget a company", "And its objects. Its members stay, and belong to none.", anyOf(ScopeJourneys))
	remove.status = http.StatusNoContent
	handle(s, remove, s.deleteCompany)
	handle(s, op("list-company-members", http.MethodGet, "/{group_id}/members", "List a company's contacts", "The oldest first.", read), s.listCompanyMembers)
}

func (s *server) listCompanies(ctx context.Context, in *CompaniesInput) (*listOutput[audience.Company], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	var page Page[audience.Company]
	var one audience.Company
	switch {
	case in.GroupID != "" && in.ID != "":
		return nil, invalid("query", "one_identity", "Look up by one of group_id and id.")
	case in.GroupID != "":
		one, err = s.Companies.FindCompanyByGroup(ctx, in.GroupID)
	case in.ID != "":
		one, err = s.Companies.FindCompany(ctx, in.ID)
	default:
		page, err = s.Companies.ListCompanies(ctx, cursor, in.Limit)
	}
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return listOf(page), nil
	}
	if err != nil {
		return nil, fmt.Errorf("list companies: %w", err)
	}
	if one.ID != "" {
		page.Items = []audience.Company{one}
	}
	return listOf(page), nil
}

func (s *server) findCompany(ctx context.Context, in *CompanyInput) (*companyOutput, error) {
	company, err := s.Companies.FindCompanyByGroup(ctx, in.GroupID)
	if err != nil {
		return nil, fmt.Errorf("find company: %w", err)
	}
	return &companyOutput{Body: company}, nil
}

func (s *server) saveCompany(merge bool) func(context.Context, *SaveCompanyInput) (*companyOutput, error) {
	return func(ctx context.Context, in *SaveCompanyInput) (*companyOutput, error) {
		company, err := s.Companies.SaveCompany(ctx, in.GroupID, in.Body.Traits, merge, s.now())
		if err != nil {
			return nil, fmt.Errorf("save company: %w", err)
		}
		return &companyOutput{Body: company}, nil
	}
}

func (s *server) deleteCompany(ctx context.Context, in *CompanyInput) (*struct{}, error) {
	if err := s.Companies.DeleteCompany(ctx, in.GroupID, s.now()); err != nil {
		return nil, fmt.Errorf("delete company: %w", err)
	}
	return nil, nil //nolint:nilnil // 204 has no body
}

func (s *server) listCompanyMembers(ctx context.Context, in *struct {
	CompanyInput
	ListInput
}) (*listOutput[audience.Contact], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	company, err := s.Companies.FindCompanyByGroup(ctx, in.GroupID)
	if err != nil {
		return nil, fmt.Errorf("find company: %w", err)
	}
	page, err := s.Companies.ListCompanyMembers(ctx, company.ID, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	return listOf(page), nil
}
