using System.Globalization;

namespace Lifeboat.Engine.Apps;

/// <summary>A length of time as app files write it: <c>30m</c>, <c>12h</c>, <c>7d</c>, <c>2w</c>.</summary>
internal static class Period
{
    public static bool TryParse(string text, out TimeSpan period)
    {
        period = TimeSpan.Zero;
        if (text.Length is < 2 or > 6 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number < 1)
            return false;
        period = text[^1] switch
        {
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            'd' => TimeSpan.FromDays(number),
            'w' => TimeSpan.FromDays(7L * number),
            _ => TimeSpan.Zero,
        };
        return period > TimeSpan.Zero;
    }
}
