-- Share of sold units that came back, by category and most frequent reason.
with sold as (
    select
        products.category,
        sum(items.quantity) as units_sold,
        sum(items.returned_quantity) as units_returned
    from {{ ref('order_items') }} as items
    inner join {{ ref('orders') }} as orders on items.order_id = orders.order_id
    inner join {{ ref('products') }} as products on items.product_id = products.product_id
    where not orders.is_test_order and orders.order_status <> 'cancelled'
    group by products.category
),

reasons as (
    select
        products.category,
        returns.return_reason,
        count(*) as return_count
    from {{ ref('returns') }} as returns
    inner join {{ ref('products') }} as products on returns.product_id = products.product_id
    where returns.return_status <> 'rejected'
    group by products.category, returns.return_reason
    qualify row_number() over (partition by products.category order by count(*) desc, returns.return_reason) = 1
)

select
    sold.category,
    sold.units_sold,
    sold.units_returned,
    round(100.0 * sold.units_returned / sold.units_sold, 1) as return_rate_percent,
    reasons.return_reason as top_reason
from sold
left join reasons on sold.category = reasons.category
order by return_rate_percent desc
