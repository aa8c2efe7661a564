-- Net revenue by month with the change against the month before.
with monthly as (
    select
        date_trunc('month', sales_date) as sales_month,
        sum(net_amount_eur) as net_revenue_eur
    from {{ ref('daily_sales') }}
    group by sales_month
)

select
    sales_month,
    net_revenue_eur,
    net_revenue_eur - lag(net_revenue_eur) over (order by sales_month) as change_eur,
    round(100.0 * (net_revenue_eur / lag(net_revenue_eur) over (order by sales_month) - 1), 1) as change_percent
from monthly
order by sales_month
