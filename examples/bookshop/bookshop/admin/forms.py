from flask_wtf import FlaskForm
from flask_wtf.file import FileAllowed, FileField, FileRequired
from wtforms import DecimalField, IntegerField, SelectField, StringField, SubmitField, TextAreaField
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    Regexp,
    ValidationError,
)

from ..models import Book


class BookForm(FlaskForm):
    title = StringField("Title", validators=[DataRequired(), Length(max=200)])
    isbn = StringField("ISBN", validators=[Regexp(r"\d{13}\Z", message="An ISBN has 13 digits.")])
    authors = StringField("Authors, with commas between", validators=[DataRequired()])
    category_id = SelectField("Category", coerce=int)
    price = DecimalField("Price in €", validators=[InputRequired(), NumberRange(0, 10_000)])
    stock = IntegerField("Copies in stock", validators=[InputRequired(), NumberRange(0, 100_000)])
    published = IntegerField("Year", validators=[Optional(), NumberRange(1000, 2100)])
    pages = IntegerField("Pages", validators=[Optional(), NumberRange(1, 10_000)])
    summary = TextAreaField("Summary", validators=[Length(max=5000)])
    cover = FileField("Cover", validators=[FileAllowed(["png", "jpg", "jpeg", "webp"])])
    submit = SubmitField("Save")

    def __init__(self, *args, book=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.book = book

    def validate_isbn(self, field):
        other = Book.query.filter_by(isbn=field.data).first()
        if other is not None and other is not self.book:
            raise ValidationError(f"“{other.title}” has this ISBN.")


class PriceListForm(FlaskForm):
    file = FileField("Price list", validators=[FileRequired(), FileAllowed(["csv"])])
    submit = SubmitField("Import")
