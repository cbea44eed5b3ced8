/** Names by which tables call the user, the item, the time and the order of an event. */

export type Role = 'user' | 'item' | 'time' | 'order';
export const ROLES: readonly Role[] = ['user', 'item', 'time', 'order'];

const words = (text: string) => text.trim().split(/\s+/);

/** Usual names, most telling first, in lower case and letters only. */
export const USUAL: Record<Role, string[]> = {
  user: words(`userid user uid userids reviewerid customerid customer visitorid memberid accountid householdkey householdid
    sessionid session profileid u`),
  item: words(`itemid item movieid movie iid itemids items itemidlist itemlist itemseq itemsequence sequenceitemids productid sku
    product asin parentasin videoid articleid newsid trackid songid artistid bookid isbn businessid contentid gmapid stockcode productcode itemcode articlecode ean upc aid i`),
  time: words(`timestamp unixtimestamp time unixreviewtime ts timems timestampms unixtime timestamps eventtime eventdate datetime
    createdat date when purchasedate orderdate invoicedate reviewtime t`),
  order: words('position order pos step sequence seq eventindex rownumber index'),
};

/** Words within a name that tell its role, where they do so for one column alone. */
export const TELLING: Partial<Record<Role, string[]>> = {
  user: words('user customer client visitor member buyer reader listener viewer account household session'),
  item: words(
    'item items product products sku movie movies film article articles video videos track tracks song book asin isbn',
  ),
  time: words('at time timestamp timestamps date datetime ts'),
};

/** Words within a name that make it no clock of the event, whatever else it says: lengths of time, and dates of other things. */
export const NO_CLOCK =
  words(`dwell duration watch watched play playing played elapsed length spent hour hours minute minutes second
  seconds timeframe delta interval latency zone timezone week weekday month year age release birth birthday signup registration registered
  join joined expiry expires publish published upload uploaded delivery total avg mean`);

/** Letters and digits of a column's name, without RecBole's `:type`. */
export function plainName(name: string): string {
  return name
    .replace(/:[a-z_]+$/i, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** The words of a name in any spelling: `bought_at`, `boughtAt`, `Customer No.`. */
export function wordsOf(name: string): string[] {
  return name
    .replace(/:[a-z_]+$/i, '')
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u);
}
