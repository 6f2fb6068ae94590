#include "platform/mail/mail_reply.h"
#include "platform/text/text.h"

/* All words are lower case; lines are compared after text_lower. */

static const char *const wrote[] = {
    "wrote", "writes", "schrieb", "schreef", "a écrit", "a ecrit", "escribió", "escribio", "escreveu", "ha scritto", "scrive",
    "geschreven", "skrev", "skreiv", "napisał", "napisal", "napsal", "napísal", "napisao", "napisala", "je pisal", "kirjoitti",
    "написал", "написав", "пише", "пишет", "писал", "написа", "yazdı", "yazdi", "írta", "irta", "a scris", "έγραψε", "đã viết",
    "menulis", "写道", "寫道", "写到", "のメッセージ", "書きました", "書き込み", "님이 작성", "작성:", "כתב", "كتب", "เขียน",
    "skrifaði", "rašė", "rakstīja", "kirjutas", "sulat ni", "ha escrit", "idatzi du", "nakisulat", "написа", "γράψατε",
};

/* How a line that introduces a quote begins; a digit, a quotation mark or a name with address does too. */
static const char *const starters[] = {
    "on ", "le ", "el ", "il ", "am ", "em ", "op ", "den ", "w dniu", "dnia ", "på ", "vào ", "dne ", "dňa ", "pe ", "a ", "на ", "в ",
    "στις ", "pada ", "ngày ", "em seg", "em ter", "em qua", "em qui", "em sex", "lun", "mar", "mer", "gio", "ven", "sab", "dom", "mon",
    "tue", "wed", "thu", "fri", "sat", "sun", "mo", "di", "mi", "do", "fr", "sa", "so", "пн", "вт", "ср", "чт", "пт", "сб", "вс", "ti", "ke",
    "to ", "pt", "śr", "czw", "pon", "wt", "niedz", "sob", "d. ", "ons", "tors", "tir", "man", "søn", "lør", "lör", "sön", "tis", "fre", "am ", "kl",
    "jan", "feb", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "-- on", "în ", "date", "at ", "in data", "el dia", "ב", "في ", "เมื่อ",
};

/* Titles between dashes, and lines that begin what was forwarded. */
static const char *const separators[] = {
    "original message", "reply message", "original-nachricht", "original nachricht", "originalnachricht", "ursprüngliche nachricht", "urspruengliche nachricht",
    "ursprüngliche mail", "ursprüngliche e-mail", "antwort nachricht", "oprindelig meddelelse", "original meddelelse", "originalmeddelande", "ursprungligt meddelande",
    "opprinnelig melding", "message d'origine", "message original", "message d’origine", "mensaje original", "mensagem original", "messaggio originale",
    "oorspronkelijk bericht", "origineel bericht", "alkuperäinen viesti", "oryginalna wiadomość", "wiadomość oryginalna", "pôvodná správa", "původní zpráva", "původní e-mail",
    "eredeti üzenet", "исходное сообщение", "оригинальное сообщение", "вихідне повідомлення", "orijinal mesaj", "özgün ileti", "mesaj original", "original e-mail",
    "αρχικό μήνυμα", "原始邮件", "原始郵件", "原邮件", "元のメッセージ", "original appointment", "원본 메시지", "원본 메일", "thư gốc", "izvorna poruka", "izvirno sporočilo", "original email",
    "forwarded message", "weitergeleitete nachricht", "message transféré", "message transmis", "mensaje reenviado", "mensagem encaminhada", "messaggio inoltrato",
    "doorgestuurd bericht", "vidarebefordrat meddelande", "videresendt meddelelse", "videresendt melding", "edelleenlähetetty viesti", "edelleen lähetetty viesti",
    "пересылаемое сообщение", "пересланное сообщение", "пересланное письмо", "przekazana wiadomość", "wiadomość przekazana", "přeposlaná zpráva", "továbbított üzenet", "yönlendirilen ileti",
    "iletilmiş ileti", "转发的邮件", "转发邮件信息", "轉寄的郵件", "転送メッセージ", "전달된 메시지", "forwarded by", "προωθημένο μήνυμα", "mesaj redirecționat", "הודעה שהועברה",
};

static const char *const openers[] = {
    "begin forwarded message:", "anfang der weitergeleiteten nachricht:", "anfang der weitergeleiteten e-mail:", "début du message réexpédié", "début du message transféré",
    "inicio del mensaje reenviado:", "inizio messaggio inoltrato:", "inizio del messaggio inoltrato:", "begin doorgestuurd bericht:", "início da mensagem encaminhada:",
    "início da mensagem reencaminhada:", "vidarebefordrat brev:", "start på videresendt besked:", "videresendt melding:", "välitetty viesti alkaa:", "начало переадресованного сообщения:",
    "początek przekazywanej wiadomości:", "začátek přeposílané zprávy:", "továbbított levél kezdete:", "iletilen mesajın başlangıcı:", "転送されたメッセージ：", "开始转发的邮件：",
    "##- please type your reply above this line", "please reply above this line", "--- reply above this line", "–-–-–-–-–-–-–-–-–-–-–-–-–-–-–-",
};

/* Lines that mail programs add below the text. */
static const char *const device_lines[] = {
    "sent from my", "sent from mail for", "sent from mailbox", "sent from outlook", "sent from yahoo", "sent from samsung", "sent from proton", "sent from gmail",
    "sent from windows", "sent from a ", "sent from iphone", "sent from ipad", "sent from android", "sent from the all new", "sent from aol", "sent from zoho", "sent from fast",
    "sent via my", "sent via the", "sent via blackberry", "sent wirelessly", "sent using", "sent with proton", "sent with airmail", "sent with fast", "sent on the go",
    "sent with tutanota", "sent with shift", "sent with spark", "sent by outlook", "sent by my", "get outlook for", "sent: from my", "typed on my", "secured with tuta",
    "envoyé de mon", "envoyé de ma", "envoyé depuis mon", "envoyé depuis", "envoyé à partir de", "envoyé sans fil", "télécharger outlook", "provenance : courrier",
    "obtenir outlook", "von meinem", "von unterwegs gesendet", "gesendet von", "gesendet mit", "gesendet über", "gesendet aus", "diese nachricht wurde von meinem", "outlook für",
    "enviado desde mi", "enviado desde el", "enviado desde correo", "enviado desde outlook", "enviado do meu", "enviado de mi", "enviado via", "enviado a partir do", "obtener outlook",
    "obter o outlook", "inviato da", "inviata da", "scarica outlook", "ottieni outlook", "verzonden vanaf", "verstuurd vanaf", "verzonden met", "verzonden van", "outlook voor", "skickat från",
    "skickades från", "skickat med", "hämta outlook", "sendt fra", "sendt med", "hent outlook", "lähetetty", "hanki outlook", "wysłane z", "wysłano z", "pobierz outlook", "odesláno z", "odoslané z",
    "отправлено с", "отправлено из", "надіслано з", "надіслано із", "iphone'umdan gönderildi", "ipad'imden gönderildi", "android için", "küldve", "trimis de pe", "στάλθηκε από",
    "iphoneから送信", "ipadから送信", "发自我的", "發自我的", "從我的", "从我的", "나의 iphone에서", "내 iphone에서", "gửi từ", "dikirim dari", "נשלח מה", "أرسلت من", "مرسل من", "ส่งจาก",
};

enum { KEY_FROM = 1, KEY_DATE = 2, KEY_TO = 4, KEY_SUBJECT = 8, KEY_OTHER = 16 };
static const struct {
    const char *word;
    unsigned kind;
} keys[] = {
    { "from", KEY_FROM }, { "von", KEY_FROM }, { "de", KEY_FROM }, { "da", KEY_FROM }, { "van", KEY_FROM }, { "fra", KEY_FROM }, { "från", KEY_FROM },
    { "od", KEY_FROM }, { "от", KEY_FROM }, { "від", KEY_FROM }, { "kimden", KEY_FROM }, { "gönderen", KEY_FROM }, { "feladó", KEY_FROM }, { "发件人", KEY_FROM }, { "寄件者", KEY_FROM },
    { "寄件人", KEY_FROM }, { "差出人", KEY_FROM }, { "보낸 사람", KEY_FROM }, { "보낸사람", KEY_FROM }, { "lähettäjä", KEY_FROM }, { "απο", KEY_FROM }, { "από", KEY_FROM }, { "mittente", KEY_FROM },
    { "absender", KEY_FROM }, { "expéditeur", KEY_FROM }, { "de la", KEY_FROM }, { "từ", KEY_FROM }, { "dari", KEY_FROM }, { "מאת", KEY_FROM }, { "من", KEY_FROM }, { "จาก", KEY_FROM },
    { "sent", KEY_DATE }, { "date", KEY_DATE }, { "gesendet", KEY_DATE }, { "datum", KEY_DATE }, { "envoyé", KEY_DATE }, { "envoyé le", KEY_DATE }, { "date d'envoi", KEY_DATE }, { "enviado", KEY_DATE },
    { "enviado el", KEY_DATE }, { "enviada em", KEY_DATE }, { "enviado em", KEY_DATE }, { "fecha", KEY_DATE }, { "data", KEY_DATE }, { "inviato", KEY_DATE }, { "verzonden", KEY_DATE }, { "sendt", KEY_DATE }, { "dato", KEY_DATE },
    { "skickat", KEY_DATE }, { "lähetetty", KEY_DATE }, { "päiväys", KEY_DATE }, { "wysłano", KEY_DATE }, { "odesláno", KEY_DATE }, { "odoslané", KEY_DATE }, { "отправлено", KEY_DATE }, { "дата", KEY_DATE }, { "надіслано", KEY_DATE },
    { "gönderme tarihi", KEY_DATE }, { "tarih", KEY_DATE }, { "elküldve", KEY_DATE }, { "dátum", KEY_DATE }, { "trimis", KEY_DATE }, { "发送时间", KEY_DATE }, { "日期", KEY_DATE }, { "寄件日期", KEY_DATE }, { "傳送時間", KEY_DATE },
    { "送信日時", KEY_DATE }, { "日時", KEY_DATE }, { "보낸 날짜", KEY_DATE }, { "날짜", KEY_DATE }, { "message du", KEY_DATE }, { "ημερομηνία", KEY_DATE }, { "ngày", KEY_DATE }, { "tanggal", KEY_DATE }, { "תאריך", KEY_DATE }, { "نشלח", KEY_DATE },
    { "to", KEY_TO }, { "an", KEY_TO }, { "à", KEY_TO }, { "a", KEY_TO }, { "para", KEY_TO }, { "aan", KEY_TO }, { "til", KEY_TO }, { "till", KEY_TO }, { "vastaanottaja", KEY_TO }, { "do", KEY_TO }, { "komu", KEY_TO }, { "pre", KEY_TO },
    { "кому", KEY_TO }, { "kime", KEY_TO }, { "alıcı", KEY_TO }, { "címzett", KEY_TO }, { "către", KEY_TO }, { "收件人", KEY_TO }, { "收件者", KEY_TO }, { "宛先", KEY_TO }, { "받는 사람", KEY_TO }, { "받는사람", KEY_TO }, { "προς", KEY_TO }, { "tới", KEY_TO }, { "kepada", KEY_TO }, { "אל", KEY_TO },
    { "subject", KEY_SUBJECT }, { "betreff", KEY_SUBJECT }, { "objet", KEY_SUBJECT }, { "sujet", KEY_SUBJECT }, { "asunto", KEY_SUBJECT }, { "assunto", KEY_SUBJECT }, { "oggetto", KEY_SUBJECT }, { "onderwerp", KEY_SUBJECT },
    { "emne", KEY_SUBJECT }, { "ämne", KEY_SUBJECT }, { "aihe", KEY_SUBJECT }, { "temat", KEY_SUBJECT }, { "předmět", KEY_SUBJECT }, { "predmet", KEY_SUBJECT }, { "тема", KEY_SUBJECT }, { "konu", KEY_SUBJECT }, { "tárgy", KEY_SUBJECT },
    { "subiect", KEY_SUBJECT }, { "主题", KEY_SUBJECT }, { "主旨", KEY_SUBJECT }, { "件名", KEY_SUBJECT }, { "제목", KEY_SUBJECT }, { "θέμα", KEY_SUBJECT }, { "chủ đề", KEY_SUBJECT }, { "perihal", KEY_SUBJECT }, { "נושא", KEY_SUBJECT },
    { "cc", KEY_OTHER }, { "kopie", KEY_OTHER }, { "copie à", KEY_OTHER }, { "reply-to", KEY_OTHER }, { "risposta", KEY_OTHER }, { "importance", KEY_OTHER }, { "kopia", KEY_OTHER }, { "抄送", KEY_OTHER },
};

static bool has_word(struct str line, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_find(line, str_of(words[i])) >= 0)
            return true;
    }
    return false;
}

static bool starts_with(struct str line, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_starts(line, str_of(words[i])))
            return true;
    }
    return false;
}

static size_t count_digits(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.ptr[i] >= '0' && s.ptr[i] <= '9';
    return n;
}

/* Without the dashes, stars and list marks that surround introductions. */
static struct str undecorated(struct str s)
{
    s = str_trim(s);
    while (s.len > 0 && strchr("-*_>|", s.ptr[0]))
        s = str_trim(str_skip(s, 1));
    while (s.len > 0 && strchr("-*_", s.ptr[s.len - 1]))
        s = str_trim(str_sub(s, 0, s.len - 1));
    return s;
}

static bool ends_with_colon(struct str s)
{
    return str_ends(s, STR(":")) || str_ends(s, STR("：")) || str_ends(s, STR(":*"));
}

bool reply_may_introduce(struct str first)
{
    struct str s = undecorated(first);
    size_t digits = count_digits(s);
    bool named = str_chr(s, '@') >= 0 || str_chr(s, '<') >= 0;
    if (digits == 0 && !named)
        return false;
    bool number = s.len > 0 && s.ptr[0] >= '0' && s.ptr[0] <= '9';
    return named || number || starts_with(s, starters, COUNT(starters)) || digits >= 6;
}

bool reply_introduces(struct str joined)
{
    struct str s = undecorated(joined);
    size_t digits = count_digits(s);
    bool address = str_chr(s, '@') > 0;
    bool number = s.len > 0 && s.ptr[0] >= '0' && s.ptr[0] <= '9';
    if (digits < 3 || s.len > 500)
        return false;
    bool says = has_word(s, wrote, COUNT(wrote));
    if (says && ends_with_colon(s))
        return true;
    /* "… wrote" without its colon. */
    if (says && (str_ends(s, STR(" wrote")) || str_ends(s, STR(" schrieb")) || str_ends(s, STR(" skrev"))))
        return true;
    /* Date and address, no verb (Gmail, Yandex, Mail.ru). */
    if (address && digits >= 4 && (str_ends(s, STR(">:")) || (number && str_ends(s, STR(">")))))
        return true;
    return number && digits >= 12 && str_find(s, STR(" gmt+")) > 0 && s.len < 80;
}

bool reply_separates(struct str line)
{
    struct str s = str_trim(line);
    while (str_has_prefix_char(s, '*') || str_has_prefix_char(s, '>'))
        s = str_trim(str_skip(s, 1));
    if (starts_with(s, openers, COUNT(openers)))
        return true;
    bool dashes = str_starts(s, STR("--")) || str_starts(s, STR("__")) || str_starts(s, STR("==")) || str_starts(s, STR("——"));
    return dashes && s.len < 100 && has_word(s, separators, COUNT(separators));
}

bool reply_is_rule(struct str line)
{
    struct str s = str_trim(line);
    if (s.len < 4 || !strchr("_-=*", s.ptr[0]))
        return false;
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] != s.ptr[0] && s.ptr[i] != ' ')
            return false;
    }
    return true;
}

bool reply_is_device_line(struct str line)
{
    struct str s = undecorated(line);
    while (str_has_prefix_char(s, '[') || str_has_prefix_char(s, '('))
        s = str_skip(s, 1);
    return s.len < 140 && starts_with(s, device_lines, COUNT(device_lines));
}

unsigned reply_header_key(struct str line)
{
    struct str s = str_trim(line);
    while (s.len > 0 && strchr("*>_|", s.ptr[0]))
        s = str_trim(str_skip(s, 1));
    ptrdiff_t colon = str_chr(s, ':'), wide = str_find(s, STR("："));
    if (wide >= 0 && (colon < 0 || wide < colon))
        colon = wide;
    if (colon <= 0 || colon > 40)
        return 0;
    struct str key = str_trim(str_sub(s, 0, (size_t)colon));
    /* French sets a no-break space before the colon. */
    if (str_ends(key, STR("\xC2\xA0")))
        key = str_trim(str_sub(key, 0, key.len - 2));
    while (str_ends(key, STR("*")))
        key = str_trim(str_sub(key, 0, key.len - 1));
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (str_is(key, keys[i].word))
            return keys[i].kind;
    }
    return 0;
}

bool reply_is_header_block(unsigned first, unsigned all, bool address)
{
    bool starts = (first & (KEY_FROM | KEY_DATE)) != 0;
    unsigned kinds = (unsigned)__builtin_popcount(all & (KEY_FROM | KEY_DATE | KEY_TO | KEY_SUBJECT));
    if (!starts || kinds < 2)
        return false;
    return address || kinds >= 3 || ((all & KEY_FROM) && (all & KEY_SUBJECT));
}
