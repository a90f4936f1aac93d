drop table prices
